// Chromium over its own protocol: no library, so that nothing is installed to look at a page.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// Node has a WebSocket from 22 on; before, the one of the package `ws` is named by KIBAN_WS.
const Socket = globalThis.WebSocket ?? (await import(process.env.KIBAN_WS ?? 'ws')).WebSocket;

/** A browser with one tab. `width` in CSS pixels. */
export async function open({ width = 1280, height = 900, binary = 'chromium' } = {}) {
  const home = mkdtempSync(join(tmpdir(), 'kiban-e2e-'));
  const flags = ['--headless=new', '--no-sandbox', '--disable-gpu', '--hide-scrollbars', '--remote-debugging-port=0',
    `--user-data-dir=${home}`, `--window-size=${width},${height}`, '--lang=ja', 'about:blank'];
  const child = spawn(binary, flags, { stdio: ['ignore', 'ignore', 'pipe'] });
  // It ends with the script, whatever ends that.
  process.on('exit', () => child.kill());
  const address = await new Promise((found, failed) => {
    let text = '';
    child.stderr.on('data', (chunk) => {
      text += chunk;
      const match = text.match(/ws:\/\/\S+/);
      if (match) found(match[0]);
    });
    child.on('exit', () => failed(new Error(`the browser ended: ${text}`)));
  });
  const socket = new Socket(address);
  await new Promise((opened) => { socket.onopen = opened; });
  const waiting = new Map();
  const listeners = [];
  let next = 1;
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    if (message.id) {
      const { found, failed } = waiting.get(message.id);
      waiting.delete(message.id);
      message.error ? failed(new Error(JSON.stringify(message.error))) : found(message.result);
    } else {
      listeners.forEach((listener) => listener(message));
    }
  };
  const send = (method, params = {}, sessionId) => new Promise((found, failed) => {
    const id = next++;
    waiting.set(id, { found, failed });
    socket.send(JSON.stringify({ id, method, params, sessionId }));
  });
  const { targetId } = await send('Target.createTarget', { url: 'about:blank' });
  const { sessionId } = await send('Target.attachToTarget', { targetId, flatten: true });
  const tab = (method, params) => send(method, params, sessionId);
  const violations = [];
  listeners.push((m) => {
    if (m.method === 'Log.entryAdded') violations.push(m.params.entry.text);
  });
  await Promise.all([tab('Page.enable'), tab('Runtime.enable'), tab('Log.enable'), tab('DOM.enable')]);
  const size = (w, h, scale = 1) => tab('Emulation.setDeviceMetricsOverride', { width: w, height: h, deviceScaleFactor: scale, mobile: false });
  await size(width, height);
  const loaded = () => new Promise((done) => {
    const listener = (m) => {
      if (m.method === 'Page.loadEventFired') {
        listeners.splice(listeners.indexOf(listener), 1);
        done();
      }
    };
    listeners.push(listener);
  });
  const evaluate = async (expression) => {
    const { result, exceptionDetails } = await tab('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  };
  const go = async (url) => {
    const done = loaded();
    // A file to be saved is no page: nothing would load.
    const { errorText } = await tab('Page.navigate', { url });
    if (errorText) throw new Error(`${url}: ${errorText}`);
    await done;
  };
  /** Keys as a person presses them. */
  const key = async (name, modifiers = 0) => {
    const codes = { Tab: 9, Enter: 13, ' ': 32, ArrowDown: 40 };
    const text = name === 'Enter' ? '\r' : name === ' ' ? ' ' : undefined;
    const params = { key: name, code: name === ' ' ? 'Space' : name, windowsVirtualKeyCode: codes[name], modifiers, text };
    await tab('Input.dispatchKeyEvent', { type: 'keyDown', ...params });
    await tab('Input.dispatchKeyEvent', { type: 'keyUp', ...params, text: undefined });
  };
  const type = (text) => tab('Input.insertText', { text });
  const shot = async (full = true) => {
    const { data } = await tab('Page.captureScreenshot', { format: 'png', captureBeyondViewport: full });
    return Buffer.from(data, 'base64');
  };
  const pdf = async () => Buffer.from((await tab('Page.printToPDF', { printBackground: false })).data, 'base64');
  const close = async () => {
    socket.close();
    child.removeAllListeners('exit');
    const ended = new Promise((done) => child.on('exit', done));
    child.kill();
    await ended;
    // Its helper processes may write for a moment longer. `maxRetries` of Node 20 does not try folders again that were filled meanwhile.
    for (let left = 100; ; left--) {
      try {
        return rmSync(home, { recursive: true, force: true });
      } catch (error) {
        if (left === 0) throw error;
      }
      await new Promise((done) => setTimeout(done, 100));
    }
  };
  return { go, evaluate, key, type, shot, pdf, size, loaded, violations, close, tab };
}
