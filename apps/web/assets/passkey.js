// Passkeys need a script: the browser asks the authenticator, this hands question and answer over. Nothing else here.
'use strict';
(() => {
  const bytes = (text) => Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));
  const text = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');

  const call = async (path, token, body) => {
    const reply = await fetch(`/api/v1${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-csrf-token': token },
      body: JSON.stringify(body),
    });
    const data = await reply.json();
    if (!reply.ok) throw new Error(data.detail);
    return data;
  };

  const present = async (asked) => {
    const allowCredentials = (asked.allowed ?? []).map((id) => ({ type: 'public-key', id: bytes(id) }));
    const made = await navigator.credentials.get({
      publicKey: { challenge: bytes(asked.challenge), rpId: asked.party, userVerification: 'required', allowCredentials },
    });
    const { clientDataJSON, authenticatorData, signature, userHandle } = made.response;
    return {
      credential: text(made.rawId),
      user: userHandle ? text(userHandle) : '',
      client_data: text(clientDataJSON),
      authenticator_data: text(authenticatorData),
      signature: text(signature),
    };
  };

  const confirmed = async (token) => {
    const asked = await call('/confirm/begin', token, {});
    if (asked.needed) await call('/confirm/finish', token, await present(asked));
  };

  const acts = {
    async signIn(form) {
      const token = form.elements.csrf.value;
      await call('/sign-in/finish', token, await present(await call('/sign-in/begin', token, {})));
      location.assign('/home');
    },
    async second(form) {
      const token = form.elements.csrf.value;
      await call('/sign-in/second/finish', token, await present(await call('/sign-in/second/begin', token, {})));
      location.assign('/home');
    },
    async enrol(form) {
      const token = form.elements.csrf.value;
      const asked = await call('/enrol/begin', token, { code: form.elements.code.value });
      const made = await navigator.credentials.create({
        publicKey: {
          challenge: bytes(asked.challenge),
          rp: { id: asked.party, name: asked.site },
          user: { id: bytes(asked.user), name: asked.name, displayName: asked.name },
          pubKeyCredParams: asked.algorithms.map((alg) => ({ type: 'public-key', alg })),
          excludeCredentials: asked.known.map((id) => ({ type: 'public-key', id: bytes(id) })),
          authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
          attestation: 'none',
        },
      });
      const { clientDataJSON, attestationObject } = made.response;
      await call('/enrol/finish', token, { client_data: text(clientDataJSON), object: text(attestationObject) });
      location.assign('/sign-in?enrolled=on');
    },
    async confirm(form) {
      await confirmed(form.elements.csrf.value);
      history.back();
    },
  };

  const say = (form, error) => {
    let place = form.querySelector('[role=alert]');
    if (!place) {
      place = document.createElement('p');
      place.className = 'wrong';
      place.setAttribute('role', 'alert');
      form.append(place);
    }
    const given_up = error instanceof DOMException;
    place.textContent = given_up ? 'パスキーの操作が取り消されたか、時間が過ぎました。もう一度押してください。' : error.message;
  };

  document.addEventListener('submit', async (event) => {
    const form = event.target;
    const act = acts[form.dataset.passkey];
    const before = 'confirm' in form.dataset && form.dataset.confirm !== 'done';
    if (!act && !before) return;
    event.preventDefault();
    const button = event.submitter;
    try {
      if (act) {
        await act(form);
      } else {
        // An act that cannot be taken back: first show again who sits there, then send the form.
        await confirmed(form.elements.csrf.value);
        form.dataset.confirm = 'done';
        form.requestSubmit(button);
      }
    } catch (error) {
      say(form, error);
    }
  });
})();
