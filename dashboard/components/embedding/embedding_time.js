// Which moment is shown: it follows the page's slider, can be dragged and played, and glides unless the reader wants no motion.

const GLIDE_MS = 550; // to another moment
const PLAY_MS = 1000; // from one kept moment to the next

const isStill = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
const eased = (part) => part * part * (3 - 2 * part);

export class Clock {
  constructor(tell) {
    this.tell = tell;
    this.time = 0;
    this.last = 0;
    this.followed = null;
    this.isPlaying = false;
  }

  // Other points with `n` moments, at one of them
  set(n, moment) {
    this.stop();
    this.last = n - 1;
    this.time = this.followed = moment;
  }

  // The page looks at this moment now
  follow(moment) {
    if (moment === this.followed) return;
    this.followed = moment;
    this.glide(moment);
  }

  glide(to) {
    this.stop();
    const from = this.time;
    if (isStill() || document.hidden) this.jump(to);
    else this.run(GLIDE_MS, (part) => { this.time = from + eased(part) * (to - from); });
  }

  jump(time) {
    this.stop();
    this.time = Math.max(0, Math.min(this.last, time));
    this.tell();
  }

  // From here to the last moment, or all from the first; or stop there
  toggle() {
    if (this.isPlaying) {
      this.stop();
      this.tell();
      return;
    }
    const from = this.time >= this.last - 0.01 ? 0 : this.time;
    const span = this.last - from;
    this.stop();
    const advance = (part) => {
      const at = from + part * span;
      const whole = Math.min(this.last, Math.floor(at));
      this.time = isStill() ? whole : Math.min(this.last, whole + eased(at - whole));
    };
    this.run(PLAY_MS * span, advance);
    this.isPlaying = true;
  }

  run(length, advance) {
    const began = performance.now();
    const frame = (now) => {
      const part = length > 0 ? Math.min(1, Math.max(0, (now - began) / length)) : 1;
      advance(part);
      if (part < 1) this.waiting = requestAnimationFrame(frame);
      else this.isPlaying = false;
      this.tell();
    };
    this.waiting = requestAnimationFrame(frame);
  }

  stop() {
    cancelAnimationFrame(this.waiting);
    this.isPlaying = false;
  }
}
