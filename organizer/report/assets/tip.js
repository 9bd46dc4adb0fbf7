"use strict";

// The tooltip of the page: the path of a picture or point.

const tip = document.getElementById("tip");

/** Show lines of text beside a point of the window, without leaving it. */
function showTip(lines, x, y) {
  tip.replaceChildren(...lines.filter(Boolean).map(line));
  tip.hidden = false;
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
