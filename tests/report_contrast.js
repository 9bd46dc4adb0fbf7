// The contrast of all text and of the graphics that carry meaning on a report's page, from the
// computed styles: [what, ratio] for each that is below the least (WCAG 2.2, 1.4.3 and 1.4.11).
() => {
  const pen = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    pen.clearRect(0, 0, 1, 1);
    pen.fillStyle = colour;
    pen.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = pen.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, ground, alpha = top[3]) => ground.map((g, i) => top[i] * alpha + g * (1 - alpha));
  const luminance = (colour) => {
    const linear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    const [r, g, b] = colour.map((v) => linear(v / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a, b) => {
    const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
    return (light + 0.05) / (dark + 0.05);
  };
  const ground = (element) => {
    if (!element) return rgba(getComputedStyle(document.documentElement).getPropertyValue("--paper")).slice(0, 3);
    const own = rgba(getComputedStyle(element).backgroundColor);
    return own[3] === 1 ? own.slice(0, 3) : over(own, ground(element.parentElement));
  };
  const opacity = (element) =>
    element ? Number(getComputedStyle(element).opacity) * opacity(element.parentElement) : 1;
  const shown = (element) =>
    element.checkVisibility({ visibilityProperty: true }) && !element.closest(".away, .skip, :disabled");
  const bad = [];
  let checked = 0;
  const check = (element, colour, behind, least) => {
    checked++;
    const top = rgba(colour);
    const ratio = contrast(over(top, behind, top[3] * opacity(element)), behind);
    if (ratio < least) bad.push([element.outerHTML.slice(0, 120), ratio, least]);
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = walker.nextNode(); text; text = walker.nextNode()) {
    const element = text.parentElement;
    if (!text.data.trim() || !shown(element) || element.closest("script, style, title")) continue;
    const style = getComputedStyle(element);
    const isSvg = element instanceof SVGElement;
    const pixels = parseFloat(style.fontSize);
    const isLarge = pixels >= 24 || (pixels >= 18.66 && style.fontWeight >= 700);
    check(element, isSvg ? style.fill : style.color, ground(element), isLarge ? 3 : 4.5);
  }
  const graphics = {
    "svg.swatch path:not(.mark), .silhouette path, .pie path, .dot, .mark.chosen": "fill",
    ".chart .line, .mark:not(.chosen), .mean": "stroke",
    ".track i, .interval i, .track b, .interval b, .stack > span": "backgroundColor",
    ".map button:not(li button), .pictures .missing, dialog button": "borderTopColor",
    ".map-legend button[aria-pressed=true]": "borderTopColor",
  };
  for (const [selector, property] of Object.entries(graphics)) {
    for (const element of document.querySelectorAll(selector)) {
      const holder = element.parentElement.closest("div, li, td, dd, span, p, figure, section, main");
      if (shown(element)) check(element, getComputedStyle(element)[property], ground(holder), 3);
    }
  }
  return { bad, checked };
};
