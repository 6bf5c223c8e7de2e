// Bands and faint lines on a canvas under a Plotly panel: SVG would pay for each of them with every update.

export class Underlay {
  // `frame` is the element of the panel, which knows its axes
  constructor(frame) {
    this.frame = frame;
    this.canvas = document.createElement("canvas");
    this.canvas.className = "underlay";
    this.canvas.setAttribute("aria-hidden", "true");
    frame.before(this.canvas);
    this.shapes = [];
  }

  // `shapes`: [{x, y, colour, opacity, isBand, isThin}] in the units of the axes; null in `y` is a gap
  set(shapes) {
    this.shapes = shapes;
    this.canvas.dataset.bands = String(shapes.filter(({ isBand }) => isBand).length);
  }

  paint() {
    const { canvas, frame } = this;
    const { xaxis, yaxis } = frame._fullLayout ?? {};
    const [width, height] = [frame.clientWidth, frame.clientHeight];
    if (!xaxis || !width) return;
    const ratio = Math.min(2, devicePixelRatio || 1);
    if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
    if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio);
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    if (!this.shapes.length) return;
    context.save();
    context.beginPath();
    context.rect(xaxis._offset, yaxis._offset, xaxis._length, yaxis._length);
    context.clip();
    context.translate(xaxis._offset, yaxis._offset);
    context.lineJoin = "round";
    for (const shape of this.shapes) this.stroke(context, shape, (x) => xaxis.d2p(x), (y) => yaxis.d2p(y), yaxis._length);
    context.restore();
  }

  stroke(context, { x, y, colour, opacity, isBand }, px, py, bottom) {
    const below = (value) => (Number.isFinite(value) ? value : 2 * bottom); // where a log axis has no place for it
    context.globalAlpha = opacity;
    context.beginPath();
    let isOpen = false;
    x.forEach((at, i) => {
      if (y[i] === null) {
        isOpen = false;
        return;
      }
      if (isOpen) context.lineTo(px(at), below(py(y[i])));
      else context.moveTo(px(at), below(py(y[i])));
      isOpen = true;
    });
    if (isBand) {
      context.fillStyle = colour;
      context.fill();
    } else {
      context.strokeStyle = colour;
      context.lineWidth = 1;
      context.stroke();
    }
  }

  remove() {
    this.canvas.remove();
  }
}
