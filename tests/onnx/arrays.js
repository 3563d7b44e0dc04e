// Random inputs and their files, for the scripts that hold models against ONNX Runtime.

// Mulberry32: the same inputs in every run.
function random(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

// Float32Array of a sum of three uniform numbers, mean 0, from -3 to 3.
function values(dims, next) {
  return Float32Array.from({length: dims.reduce((a, b) => a * b)}, () => (next() + next() + next() - 1.5) * 2);
}

// The bytes of a NumPy file of float32.
function npy(dims, data) {
  let header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${dims.join(', ')},), }`;
  header = header.padEnd(Math.ceil((header.length + 11) / 64) * 64 - 11) + '\n';
  const head = Buffer.alloc(10);
  head.write('\x93NUMPY\x01\x00', 'latin1');
  head.writeUInt16LE(header.length, 8);
  return Buffer.concat([head, Buffer.from(header), Buffer.from(data.buffer, data.byteOffset, data.byteLength)]);
}

module.exports = {npy, random, values};
