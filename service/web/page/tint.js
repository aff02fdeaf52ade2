// The layer under the text area: the same text, its words tinted.

const LEVELS = [0.15, 0.5, 1, 2]; // change of log-odds from which on a tint is stronger

export class Tint {
  constructor(layer, area) {
    this.layer = layer;
    this.area = area;
    this.chunks = []; // {end, node} of text that is not drawn again
    this.tail = document.createElement("span");
    layer.append(this.tail);
    area.addEventListener("scroll", () => this.scroll());
  }

  /** Draw again from a place on: tokens that have been read, then what has not been. */
  draw(reading, text, from, hue) {
    while (this.chunks.length && this.chunks.at(-1).end > from) this.chunks.pop().node.remove();
    const start = this.chunks.length ? this.chunks.at(-1).end : 0;
    let number = firstAt(reading.tokens, start);
    const done = document.createElement("span");
    let end = start;
    for (; number < reading.tokens.length && !reading.tokens[number].held; number += 1) {
      end = append(done, reading, number, text, end, hue);
    }
    if (end > start) {
      this.layer.insertBefore(done, this.tail);
      this.chunks.push({ end, node: done });
    }
    this.tail.replaceChildren();
    for (; number < reading.tokens.length; number += 1) {
      end = append(this.tail, reading, number, text, end, hue);
    }
    // A line break at the very end takes a line in a text area, and here only if one follows.
    this.tail.append(text.slice(end) + "\n");
    this.scroll();
  }

  scroll() {
    this.layer.scrollTop = this.area.scrollTop;
  }
}

function append(parent, reading, number, text, from, hue) {
  const { start, end, held } = reading.tokens[number];
  parent.append(text.slice(from, start));
  const [label, change] = strongest(reading.contributions(number));
  const level = LEVELS.filter((least) => change >= least).length;
  if (level || held) {
    const node = document.createElement("span");
    node.className = `h${hue(label)} i${level}${held ? " held" : ""}`;
    node.textContent = text.slice(start, end);
    parent.append(node);
  } else {
    parent.append(text.slice(start, end));
  }
  return end;
}

/** The label for which a token speaks most, and by how much. */
export function strongest(contributions) {
  return Object.entries(contributions).reduce((best, one) => (one[1] > best[1] ? one : best));
}

function firstAt(tokens, place) {
  let low = 0;
  let high = tokens.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (tokens[middle].start < place) low = middle + 1;
    else high = middle;
  }
  return low;
}
