// Mouse and touch in a grid: a click selects, with shift a range, with ctrl one more; a double
// click or a tap sees it large; a long tap begins to select.

const LONG = 450; // ms
const STILL = 8; // px

export function onPointer(root, { grid, selection, open }) {
  let down = null;

  const onDown = (event) => {
    const position = grid.positionOf(event);
    if (position === null || event.button) return;
    const { pointerType, clientX: x, clientY: y } = event;
    clearTimeout(down?.timer);
    down = { position, pointerType, x, y, isLong: false, timer: 0 };
    if (pointerType === "touch") {
      const pressed = down;
      down.timer = setTimeout(() => {
        pressed.isLong = true;
        selection.toggle(position);
      }, LONG);
    }
  };
  const onMove = (event) => {
    if (down && Math.hypot(event.clientX - down.x, event.clientY - down.y) > STILL) onCancel();
  };
  const onCancel = () => {
    clearTimeout(down?.timer);
    down = null;
  };
  const onClick = (event) => {
    const position = grid.positionOf(event);
    const pressed = down;
    onCancel();
    if (position === null || !pressed || pressed.isLong) return;
    if (pressed.pointerType === "touch") {
      if (selection.count) selection.toggle(position);
      else {
        selection.moveTo(position);
        open(position);
      }
      return;
    }
    const onMark = event.target.closest(".cell-mark");
    if (event.shiftKey) selection.moveTo(position, { extend: true });
    else if (event.ctrlKey || event.metaKey || onMark) {
      selection.moveTo(position);
      selection.toggle(position);
    } else selection.only(position);
  };
  const onDouble = (event) => {
    const position = grid.positionOf(event);
    if (position === null) return;
    selection.clear();
    selection.moveTo(position);
    open(position);
  };
  const onMenu = (event) => down?.isLong && event.preventDefault();

  const listeners = {
    pointerdown: onDown,
    pointermove: onMove,
    pointercancel: onCancel,
    click: onClick,
    dblclick: onDouble,
    contextmenu: onMenu,
  };
  for (const [type, run] of Object.entries(listeners)) root.addEventListener(type, run);
  return () => {
    for (const [type, run] of Object.entries(listeners)) root.removeEventListener(type, run);
  };
}
