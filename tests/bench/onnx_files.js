// Writes FOLDER/exp.json, an experiment that quantizes MODEL.onnx by calibration, and its data: random inputs, and as targets what ONNX Runtime
// makes of them in float, so that `stair eval` shows how far the integers are from it.
//   NODE_PATH=FOLDER/node_modules node tests/bench/onnx_files.js MODEL.onnx FOLDER
const fs = require('fs');
const path = require('path');
const ort = require('onnxruntime-node');
const {npy, random, values} = require('../onnx/arrays.js');

const [model, folder] = process.argv.slice(2);
const examples = 32;

(async () => {
  const session = await ort.InferenceSession.create(model, {executionProviders: ['cpu'], logSeverityLevel: 3});
  const next = random(11);
  const inputs = session.inputMetadata.map(({name, shape}) => ({name, dims: shape.slice(1), parts: []}));
  const outputs = session.outputNames.map((name) => ({name, parts: []}));
  const batch = Math.max(...session.inputMetadata.map(({shape}) => (typeof shape[0] === 'number' ? shape[0] : 1)));
  for (let n = 0; n < examples; n += batch) {
    const feeds = {};
    for (const input of inputs) {
      input.parts.push(values([batch, ...input.dims], next));
      feeds[input.name] = new ort.Tensor('float32', input.parts[input.parts.length - 1], [batch, ...input.dims]);
    }
    const results = await session.run(feeds);
    for (const output of outputs) {
      output.dims = results[output.name].dims.slice(1);
      output.parts.push(results[output.name].data);
    }
  }
  // FILE of one, {NAME: FILE} of several.
  const write = (all, kind) => {
    const files = {};
    for (const {name, dims, parts} of all) {
      const called = name.replace(/:/g, '_');
      files[called] = `${kind}${Object.keys(files).length}.npy`;
      fs.writeFileSync(path.join(folder, files[called]), npy([examples, ...dims], Float32Array.from(parts.flatMap((part) => [...part]))));
    }
    return all.length === 1 ? Object.values(files)[0] : files;
  };
  const data = {images: write(inputs, 'input'), labels: write(outputs, 'output')};
  const loss = {kind: 'mean_squared_error', target: 'values'};
  const losses = outputs.map(({name}) => ({output: name.replace(/:/g, '_'), ...loss}));
  fs.writeFileSync(path.join(folder, 'exp.json'), JSON.stringify({
    model: path.resolve(model),
    data: {format: 'npy', train: data, test: data},
    batch: 8,
    ...(losses.length === 1 ? {loss} : {losses}),
    stages: [{kind: 'calibrate', name: 'ptq', batches: 4}],
  }));
})();
