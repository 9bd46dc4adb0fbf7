"use strict";

// The tooltip of the page: the path of a picture or point, and the picture of a point.

const tip = document.getElementById("tip");

/** Show lines of text, below a picture if there is one, beside a point of the window. */
function showTip(lines, x, y, picture = null) {
  tip.replaceChildren(...(picture ? [picture] : []), ...lines.filter(Boolean).map(line));
  tip.hidden = false;
  placeTip(x, y);
  if (picture && !picture.complete) {
    const stillThere = () => picture.isConnected && !tip.hidden;
    picture.addEventListener("load", () => stillThere() && placeTip(x, y), { once: true });
    picture.addEventListener("error", () => picture.remove(), { once: true });
  }
}

/** Beside a point of the window, without leaving it. */
function placeTip(x, y) {
  const { width, height } = tip.getBoundingClientRect();
  const left = Math.min(Math.max(8, x + 14), innerWidth - width - 8);
  const above = y + 18 + height > innerHeight;
  tip.style.left = `${Math.max(8, left)}px`;
  tip.style.top = `${Math.max(8, above ? y - height - 12 : y + 18)}px`;
}

function hideTip() {
  tip.hidden = true;
}

function line(text) {
  const element = document.createElement("span");
  element.textContent = text;
  return element;
}

addEventListener("scroll", hideTip, { passive: true });
addEventListener("keydown", (event) => event.key === "Escape" && hideTip());
