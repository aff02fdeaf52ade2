// Keeps what the service has read of a text the same as the text, over one WebSocket.
//
// One message is under way at a time; what is typed meanwhile goes with the next. States of the
// stream are kept every few hundred characters, so a change in the middle of a long text, or a
// connection that was lost, costs only what comes after the last of them before it.

import { keyProtocols } from "./access.js";

const PIECE = 2000; // UTF-16 units of a message
const KEEP = 500; // between two states that are kept
const PAUSES = [250, 500, 1000, 2000, 5000]; // milliseconds before connecting again

export class Stream {
  /**
   * @param {object} listener `onRead(from, answer)` for each answer, from being the place in the
   *   text where its piece began; `onState(text, wrong)` for what to tell; `onRefused()` where
   *   no connection was made, for one reason or another.
   */
  constructor(listener) {
    this.listener = listener;
    this.model = null;
    this.text = "";
    this.failures = 0;
    this.forget();
    this.connect();
  }

  /** Read this text with this model, {name, version, gates}. */
  read(text, model = this.model) {
    if (model !== this.model) this.forget();
    this.text = text;
    this.model = model;
    this.send();
  }

  forget() {
    this.kept = [{ length: 0, state: null }];
    this.sent = null; // what the service has read, null before anything
  }

  connect() {
    const url = new URL("stream", document.baseURI);
    url.protocol = url.protocol.replace("http", "ws");
    this.socket = new WebSocket(url, keyProtocols());
    let opened = false;
    this.socket.onopen = () => {
      opened = true;
      this.failures = 0;
      this.asked = null;
      this.fresh = true;
      this.listener.onState("connected", false);
      this.send();
    };
    this.socket.onmessage = (event) => this.take(JSON.parse(event.data));
    this.socket.onclose = () => {
      this.reconnect();
      if (!opened) this.listener.onRefused();
    };
  }

  reconnect() {
    const pause = PAUSES[Math.min(this.failures, PAUSES.length - 1)];
    this.failures += 1;
    this.asked = null;
    this.listener.onState("The connection is lost; trying again …", true);
    this.again = setTimeout(() => this.connect(), pause);
  }

  /** Connect now, where that waits for another try. */
  hurry() {
    if (this.socket.readyState !== WebSocket.CLOSED) return;
    clearTimeout(this.again);
    this.failures = 0;
    this.connect();
  }

  send() {
    const open = this.socket.readyState === WebSocket.OPEN;
    if (!open || this.asked || !this.model || (this.sent === this.text && !this.fresh)) return;
    const message = { explain: true, gates: this.model.gates };
    let from = this.sent === null ? 0 : this.sent.length;
    if (this.fresh || this.sent === null || !this.text.startsWith(this.sent)) {
      from = this.goBack(message);
    }
    // The empty text comes first: what the first word changes is seen beside it.
    const to = this.sent === null ? 0 : Math.min(from + PIECE, this.text.length);
    message.text = this.text.slice(from, to);
    message.with_state = to - this.kept.at(-1).length >= KEEP;
    this.asked = { from, to, text: this.text, model: this.model };
    if (to < this.text.length && to > 0) this.listener.onState("reading …", false);
    this.socket.send(JSON.stringify(message));
  }

  /** Go back to the last state before the first difference; return where it stands. */
  goBack(message) {
    const same = commonLength(this.sent ?? "", this.text);
    while (this.kept.at(-1).length > same) this.kept.pop();
    const { length, state } = this.kept.at(-1);
    if (state === null) {
      Object.assign(message, { restart: true, model: this.model.name, version: this.model.version });
    } else {
      message.state = state;
    }
    return length;
  }

  take(answer) {
    const asked = this.asked;
    this.asked = null;
    if (!asked) return;
    if (asked.model !== this.model) {
      this.send(); // what another model says of it is no part of this stream
      return;
    }
    if (answer.error) {
      this.complain(answer.error);
      return;
    }
    this.fresh = false;
    this.sent = asked.text.slice(0, asked.to);
    if (answer.state) this.kept.push({ length: asked.to, state: answer.state });
    this.listener.onRead(asked.from, answer, this.sent);
    this.send();
  }

  complain(error) {
    this.listener.onState(error.message, true);
    if (["overloaded", "rate_limited", "deadline_passed"].includes(error.type)) {
      setTimeout(() => this.send(), 1000 * (error.retry_after ?? 1));
    } else if (error.type === "replay_required" || error.type === "bad_state") {
      this.forget();
      this.send();
    }
  }
}

function commonLength(one, other) {
  const most = Math.min(one.length, other.length);
  let length = 0;
  while (length < most && one[length] === other[length]) length += 1;
  return length;
}
