// Times one ONNX model in ONNX Runtime: the median of its runs and what 99 of 100 don't exceed, in
// milliseconds, on standard output.
//   node onnxruntime.js MODULES MODEL.onnx BATCH THREADS SECONDS
// MODULES is the node_modules folder with onnxruntime-node. The model has one input "x", whose shape the file states but for the batch.
const path = require('path');

async function main() {
  const [modules, model, batch, threads, seconds] = process.argv.slice(2);
  const ort = require(path.resolve(modules, 'onnxruntime-node'));
  const session = await ort.InferenceSession.create(model, {
    intraOpNumThreads: Number(threads),
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
  });
  const shape = [Number(batch), ...session.inputMetadata[0].shape.slice(1).map(Number)];
  const elements = shape.reduce((product, dimension) => product * dimension, 1);
  // Values that the quantizer of the input (scale 0.02) spreads over all of u8.
  const values = Float32Array.from({ length: elements }, (_, i) => ((i * 2654435761) % 256) * 0.02);
  const feeds = { [session.inputNames[0]]: new ort.Tensor('float32', values, shape) };

  const times = [];
  const start = performance.now();
  const warm = start + 200 * Number(seconds);
  const end = start + 1000 * Number(seconds);
  for (let runs = 0; runs < 3 || performance.now() < warm; ++runs) await session.run(feeds);
  while (times.length < 5 || performance.now() < end) {
    const before = performance.now();
    await session.run(feeds);
    times.push(performance.now() - before);
  }
  times.sort((a, b) => a - b);
  console.log(times[times.length >> 1].toFixed(5), times[Math.floor(0.99 * times.length)].toFixed(5));
  await session.release();
}

main().catch((error) => {
  console.error(`onnxruntime.js: ${error.message}`);
  process.exit(1);
});
