// What is being written is kept beside the draft, some seconds after the last key. It is no version until it is saved.
'use strict';
(() => {
  const form = document.querySelector('form[data-keep]');
  if (!form) return;
  const said = form.querySelector('[role=status]');
  let timer;
  let kept = '';
  const keep = async () => {
    const data = {};
    for (const [name, value] of new FormData(form)) if (name !== 'csrf') data[name] = value;
    const text = JSON.stringify(data);
    if (text === kept) return;
    try {
      const reply = await fetch(`/api/v1${form.dataset.keep}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-csrf-token': form.elements.csrf.value },
        body: text,
      });
      const answer = await reply.json();
      if (!reply.ok) throw new Error(answer.detail);
      kept = text;
      said.textContent = answer.done;
    } catch (error) {
      said.textContent = `自動保存できませんでした。「保存する」を押してください。（${error.message}）`;
    }
  };
  form.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(keep, 4000);
  });
  form.addEventListener('submit', () => clearTimeout(timer));
})();
