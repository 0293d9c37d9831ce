// draws.js: NumPy's default generator, so that a seed gives the numbers that it gives in Python. Uses nothing.
//
// SeedSequence and PCG64 (XSL-RR 128/64) as in NumPy: O'Neill 2014, and her seed_seq of 2015. The methods of `Draws`
// take as many words from the stream, and in the same order, as those of numpy.random.Generator with the same name.

const BITS_64 = (1n << 64n) - 1n;
const BITS_128 = (1n << 128n) - 1n;
const MULTIPLIER = 0x2360ed051fc65da44385df649fccf645n;

/** SeedSequence(seed).generate_state(8): 32-bit words. `seed` is a whole number from 0 to 2**53. */
function seeded(seed) {
  const entropy = seed < 2 ** 32 ? [seed] : [seed >>> 0, Math.floor(seed / 2 ** 32)];
  let constant = 0x43b0d7e5;
  const hash = (value) => {
    value ^= constant;
    constant = Math.imul(constant, 0x931e8875);
    value = Math.imul(value, constant);
    return value ^ (value >>> 16);
  };
  const mix = (x, y) => {
    const mixed = Math.imul(0xca01f9dd, x) - Math.imul(0x4973f715, y);
    return mixed ^ (mixed >>> 16);
  };
  const pool = [0, 1, 2, 3].map((i) => hash(entropy[i] ?? 0));
  for (let from = 0; from < 4; from++)
    for (let to = 0; to < 4; to++) if (from !== to) pool[to] = mix(pool[to], hash(pool[from]));
  constant = 0x8b51f9dd;
  return Array.from({ length: 8 }, (_, i) => {
    let word = pool[i % 4] ^ constant;
    constant = Math.imul(constant, 0x58f38ded);
    word = Math.imul(word, constant);
    return (word ^ (word >>> 16)) >>> 0;
  });
}

class Draws {
  constructor(seed) {
    const words = seeded(seed).map(BigInt);
    const whole = (i) => (words[i + 1] << 96n) | (words[i] << 64n) | (words[i + 3] << 32n) | words[i + 2];
    this.increment = ((whole(4) << 1n) | 1n) & BITS_128;
    this.state = (this.increment + whole(0)) & BITS_128;
    this.half = -1; // the upper 32 bits of a word whose lower ones were used, or -1
    this.move();
  }

  move() {
    this.state = (this.state * MULTIPLIER + this.increment) & BITS_128;
  }

  /** The next 64 bits, a BigInt. */
  word() {
    this.move();
    const folded = (this.state >> 64n) ^ (this.state & BITS_64);
    const turn = this.state >> 122n;
    return ((folded >> turn) | (folded << (64n - turn))) & BITS_64;
  }

  /** The next 32 bits: the lower half of a word, then its upper half. */
  halfWord() {
    if (this.half >= 0) {
      const upper = this.half;
      this.half = -1;
      return upper;
    }
    const word = this.word();
    this.half = Number(word >> 32n);
    return Number(word & 0xffffffffn);
  }

  /** A number from [0, 1), of 53 random bits. */
  random() {
    return Number(this.word() >> 11n) / 2 ** 53;
  }

  /** A whole number from 0 to `count` - 1: Lemire 2019, with its rejection. `count` is at most 2**20. */
  integer(count) {
    if (count === 1) return 0; // draws nothing
    const parts = () => {
      const word = this.halfWord(); // its product with `count`, in two parts: more than 53 bits may be needed
      const low = (word & 0xffff) * count;
      const high = (word >>> 16) * count + Math.floor(low / 65536);
      return [Math.floor(high / 65536), (high % 65536) * 65536 + (low % 65536)];
    };
    let [whole, left] = parts();
    if (left < count) for (const least = 2 ** 32 % count; left < least; ) [whole, left] = parts();
    return whole;
  }

  /** `size` of them. */
  integers(count, size) {
    return Array.from({ length: size }, () => this.integer(count));
  }

  /** A whole number from 0 to `most`, as a shuffle draws it: 32 bits under a mask, again until it is small enough. */
  interval(most) {
    const mask = 2 ** (32 - Math.clz32(most)) - 1;
    for (;;) {
      const value = (this.halfWord() & mask) >>> 0;
      if (value <= most) return value;
    }
  }

  /** The numbers 0 to `count` - 1 in a random order: Fisher and Yates, from the end. */
  permutation(count) {
    const order = Array.from({ length: count }, (_, i) => i);
    for (let i = count - 1; i > 0; i--) {
      const j = this.interval(i);
      [order[i], order[j]] = [order[j], order[i]];
    }
    return order;
  }

  /** A number from Gumbel's distribution: the largest of log p + such numbers is option o with probability p(o). */
  gumbel() {
    const u = 1 - this.random();
    return u < 1 ? -Math.log(-Math.log(u)) : this.gumbel();
  }
}
