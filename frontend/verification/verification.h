#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "frontend/compile.h"
#include "frontend/importers/onnx/model.h"
#include "frontend/readers/deployed.h"
#include "frontend/readers/trained.h"
#include "frontend/verification/judge.h"

namespace stair::verification {

/// `stair verify`: the deployed integers are those of training (N-SAME), and both are those that the simulated graph stands for.
///
/// Three programs run over the same images: the forward half of the training graph (batch-norm frozen), from the checkpoint; the artifact,
/// on every backend and number of threads; and the judge (N-CHECK), which holds the integers, and what they were made from, against double
/// precision, node by node, so that the comparison isn't of the realization with itself. What reads sums of floats, whose bits depend on
/// the order of addition, is judged for each backend on that backend's own integers, instead of compared.
struct VerifyOptions {
  std::vector<const backends::Backend*> backends = backends::every();
  std::vector<int> threads = {1, 2};
  bool simulate = true;  ///< judge, too
};

/// Images f32 [batch, ...], a tensor an input of the model; only the first `count` are compared.
struct VerifyBatch {
  std::vector<ir::TensorView> inputs;
  std::int64_t count = 0;
  std::vector<ir::TensorView> data = {};  ///< the same before they were normalized, where that is asked for
};
/// The batch of that index; all batches have one size.
using VerifyBatches = std::function<VerifyBatch(std::int64_t index)>;

/// What computes deployed values: an artifact on one backend, or a file of another format. What has no tensor (no data) isn't stored.
struct Subject {
  std::string name;
  std::function<void(const VerifyBatch&)> run;
  std::function<ir::TensorView(const std::string& value)> value;     ///< of the last run, by its name in the deployment graph
  std::function<ir::TensorView(const std::string& value)> constant;  ///< likewise, once it has run
};
/// For the deployment graph at the batch, and those of its values that will be asked for.
using Subjects = std::function<std::vector<Subject>(const ir::Graph& deployed, const std::vector<std::string>& values)>;

/// The artifact on one backend and number of threads (or its constants) against training.
struct IntegerComparison {
  std::string subject;
  std::int64_t elements = 0;
  std::int64_t mismatches = 0;
  std::optional<Difference> first = {};
  std::int64_t judged = 0;  ///< elements behind sums of floats
  std::int64_t judged_wrong = 0;
  std::int64_t not_stored = 0;  ///< integers of nodes within a fused kernel, which nobody can read
};

struct Verification {
  std::int64_t images = 0;
  std::vector<IntegerComparison> integers;
  std::vector<Judgement> judgements;       ///< of training; empty without the judge
  std::vector<std::string> behind_floats;  ///< nodes that read sums of floats (skipped layers, weight-only recipes): judged, not compared
  std::vector<std::string> unchecked;      ///< of those, nodes that nobody judges either

  std::int64_t elements() const;
  std::int64_t mismatches() const;
  std::int64_t judged() const;
  std::int64_t near_ties() const;
  std::int64_t wrong() const;
  std::int64_t not_stored() const;
  bool holds() const;
};

/// `model` is the frontend's graph, `states` the checkpoint's, `artifact` and `constants` what was deployed. Error where the artifact isn't
/// of this model and recipe (a node or constant that training doesn't know).
Verification verify(const ir::Graph& model, const passes::Recipe& recipe, runtime::Tensors& states, const ir::Graph& artifact,
                    runtime::Tensors& constants, const VerifyBatches& batches, std::int64_t batch_count, const VerifyOptions& options);

/// The same of subjects that say themselves what they are: `artifact` says which values there are.
Verification verify(const ir::Graph& model, const passes::Recipe& recipe, runtime::Tensors& states, const ir::Graph& artifact,
                    const Subjects& make_subjects, const VerifyBatches& batches, std::int64_t batch_count, int threads, bool simulate);

/// The same of the first `images` test pictures (0: all of them), in batches of the experiment's evaluation.
Verification verify(readers::Trained& trained, readers::Deployed& artifact, const runtime::Dataset& test, std::int64_t images,
                    const VerifyOptions& options);

/// An ONNX file in the place of the artifact, evaluated by its operators' definitions (frontend/verification/onnx): its values and sums
/// are found by their names, as `stair export` writes them. Error where a value of the deployment graph isn't there.
Verification verify(readers::Trained& trained, const frontend::onnx::Model& file, const runtime::Dataset& test, std::int64_t images,
                    bool simulate);

}  // namespace stair::verification
