// A document that is made up, as far as the scripts of the page use one.

export class Element {
  constructor() {
    this.children = [];
    this.style = {};
    this.attributes = {};
    this.listeners = {};
    this.own = "";
    this.value = "";
    this.classList = { toggle() {} };
  }
  get textContent() {
    return this.own + this.children.map((child) => child.textContent ?? child).join("");
  }
  set textContent(text) {
    [this.own, this.children] = [text, []];
  }
  append(...children) {
    this.children.push(...children);
  }
  get childNodes() {
    return this.children;
  }
  replaceChildren(...children) {
    [this.own, this.children] = ["", children];
  }
  insertBefore(child) {
    this.children.push(child);
  }
  remove() {}
  focus() {}
  setSelectionRange(start, end) {
    this.selected = this.value.slice(start, end);
  }
  getBoundingClientRect() {
    return { top: 0 };
  }
  setAttribute(name, value) {
    this.attributes[name] = value;
  }
  addEventListener(name, listener) {
    this.listeners[name] = listener;
  }
}

const elements = new Map();
globalThis.NodeFilter = { SHOW_TEXT: 4 };
globalThis.document = {
  baseURI: "http://service/below/",
  createElement: () => new Element(),
  createElementNS: () => new Element(),
  createRange: () => ({ setStart() {}, getBoundingClientRect: () => ({ top: 0 }) }),
  createTreeWalker: () => ({ nextNode: () => false }),
  getElementById(id) {
    if (!elements.has(id)) elements.set(id, new Element());
    return elements.get(id);
  },
};
globalThis.ResizeObserver = class {
  observe() {}
};
globalThis.requestAnimationFrame = (draw) => setImmediate(draw);

export const $ = (id) => document.getElementById(id);
export const settle = (milliseconds = 30) =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));
