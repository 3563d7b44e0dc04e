// Holds exported ONNX files against the artifacts of the same checkpoints: ONNX Runtime runs the one, `stair run` the other, on the same
// random inputs, and all outputs have to be the same bytes; of models whose activations stay float, within 1e-4 of the largest.
//   NODE_PATH=FOLDER/node_modules node tests/onnx/against_runtime.js STAIR FOLDER
// FOLDER holds NAME.*.onnx and, for each, NAME.stair; without that `stair run` takes the ONNX file, too. Prints a line a file and the sum; exit code 1 if anything differs.
const {execFileSync} = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');
const ort = require('onnxruntime-node');
const {npy, random, values} = require('./arrays.js');

const [stair, folder] = process.argv.slice(2);
const work = fs.mkdtempSync(path.join(os.tmpdir(), 'stair-ort-'));

function elements(file) {
  const bytes = fs.readFileSync(file);
  return bytes.subarray(10 + bytes.readUInt16LE(8));
}

async function compare(artifact, model) {
  const session = await ort.InferenceSession.create(model, {executionProviders: ['cpu'], intraOpNumThreads: 1, logSeverityLevel: 3});
  const feeds = {};
  const args = ['run', artifact, '--threads', '1', ...(artifact === model ? [] : ['--raw'])];
  const ours = (name) => name.replace(/:/g, '_');
  const next = random(7);
  for (const input of session.inputMetadata) {
    const dims = [typeof input.shape[0] === 'number' ? input.shape[0] : 5, ...input.shape.slice(1)];
    const data = values(dims, next);
    feeds[input.name] = new ort.Tensor('float32', data, dims);
    const file = path.join(work, `in${args.length}.npy`);
    fs.writeFileSync(file, npy(dims, data));
    args.push('--input', session.inputNames.length > 1 ? `${ours(input.name)}=${file}` : file);
  }
  const results = await session.run(feeds);
  const files = {};
  for (const name of session.outputNames) {
    files[name] = path.join(work, `out${args.length}.npy`);
    args.push('--output', session.outputNames.length > 1 ? `${ours(name)}=${files[name]}` : files[name]);
  }
  execFileSync(stair, args);
  const exact = /QuantizeLinear|QLinear|MatMulInteger|ConvInteger/.test(fs.readFileSync(model, 'latin1'));
  let total = 0;
  let differ = 0;
  for (const name of session.outputNames) {
    const theirs = Buffer.from(results[name].data.buffer, results[name].data.byteOffset, results[name].data.byteLength);
    const found = elements(files[name]);
    const size = results[name].data.BYTES_PER_ELEMENT;
    total += results[name].data.length;
    if (found.length !== theirs.length) differ += results[name].data.length;
    if (!exact) {
      const expected = new Float32Array(new Uint8Array(found).buffer);
      const largest = expected.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
      results[name].data.forEach((value, i) => {
        if (!(Math.abs(value - expected[i]) <= 1e-4 * largest)) ++differ;
      });
      continue;
    }
    for (let i = 0; i < found.length && found.length === theirs.length; i += size) {
      if (found.compare(theirs, i, i + size, i, i + size) !== 0) ++differ;
    }
  }
  return {total, differ};
}

(async () => {
  let total = 0;
  let differ = 0;
  let models = 0;
  for (const file of fs.readdirSync(folder).filter((name) => name.endsWith('.onnx')).sort()) {
    const model = path.join(folder, file);
    const artifact = path.join(folder, file.replace(/\.[^.]*\.onnx$/, '.stair'));
    try {
      const found = await compare(fs.existsSync(artifact) ? artifact : model, model);
      total += found.total;
      differ += found.differ;
      if (found.differ > 0) console.log(`${file}: ${found.differ} of ${found.total} outputs differ`);
    } catch (error) {
      ++differ;
      console.log(`${file}: ${String(error).split('\n')[0]}`);
    }
    ++models;
  }
  console.log(`${differ} of ${total} outputs of ${models} ONNX files differ from ONNX Runtime's`);
  fs.rmSync(work, {recursive: true});
  process.exit(differ > 0 || models === 0 ? 1 : 0);
})();
