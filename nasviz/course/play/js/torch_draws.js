// torch_draws.js: torch's generator on a CPU, for the controller's first weights. Uses nothing.
//
// It is the Mersenne Twister of Matsumoto & Nishimura 1998. A float32 takes the lower 24 bits of a word.

class TorchDraws {
  constructor(seed) {
    this.words = new Uint32Array(624);
    this.words[0] = seed >>> 0;
    for (let i = 1; i < 624; i++) {
      const last = this.words[i - 1] ^ (this.words[i - 1] >>> 30);
      this.words[i] = Math.imul(1812433253, last) + i;
    }
    this.at = 624;
  }

  twist() {
    const { words } = this;
    for (let i = 0; i < 624; i++) {
      const joined = (words[i] & 0x80000000) | (words[(i + 1) % 624] & 0x7fffffff);
      words[i] = words[(i + 397) % 624] ^ (joined >>> 1) ^ (joined & 1 ? 0x9908b0df : 0);
    }
    this.at = 0;
  }

  word() {
    if (this.at === 624) this.twist();
    let word = this.words[this.at++];
    word ^= word >>> 11;
    word ^= (word << 7) & 0x9d2c5680;
    word ^= (word << 15) & 0xefc60000;
    return (word ^ (word >>> 18)) >>> 0;
  }

  /** `count` float32 from [-end, end), as `torch.empty(count).uniform_(-end, end)` has them: rounded once. */
  uniform(count, end) {
    const low = Math.fround(-end);
    const width = Math.fround(Math.fround(end) - low);
    return Float32Array.from({ length: count }, () => ((this.word() & 0xffffff) / 2 ** 24) * width + low);
  }
}
