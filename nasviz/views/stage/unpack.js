// unpack.js: an array that `replay.pack` packed, as Float32Array.

// Bytes are stored plane by plane (all first bytes of the float32 values, then all second ones): that packs better.
async function unpack(text) {
  const packed = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const planes = new Uint8Array(await new Response(stream).arrayBuffer());
  const n = planes.length / 4;
  const bytes = new Uint8Array(planes.length);
  for (let i = 0; i < n; i++) for (let b = 0; b < 4; b++) bytes[4 * i + b] = planes[b * n + i];
  return new Float32Array(bytes.buffer);
}
