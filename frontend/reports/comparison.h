#pragma once

#include <string>
#include <vector>

#include "frontend/stages/run.h"
#include "frontend/verification/verification.h"

namespace stair::reports {

/// What `stair compare` shows of one experiment.
struct ComparedExperiment {
  std::string name;
  std::vector<std::string> bits;  ///< of weights and activations behind each stage: "2 / 4"
  std::vector<stages::StageResult> stages;
  verification::Verification verification;  ///< of the last quantized stage's artifact against its checkpoint
  bool verified = false;                    ///< the experiment has a quantized stage
};

struct Comparison {
  std::vector<ComparedExperiment> experiments;
  bool finished = false;  ///< false: interrupted
  double seconds = 0;

  bool holds() const;
};

/// Runs the experiments one after another in folders of `options.folder`, each under its name. Float stages that an earlier experiment
/// has trained just so (same model, data, augmentation, batch, seed, loss and stages) are taken from it. Then verifies each one's last
/// artifact.
Comparison compare(const std::vector<readers::Experiment>& experiments, const stages::RunOptions& options);

/// A table: method, bits, the first metric on the test data, bytes of the artifact, training images/s; and a line on what was verified.
std::string describe(const Comparison& comparison);
/// The first experiment's stages by name, the others' below the experiment's name; artifact, verify, seconds.
ir::Json to_json(const Comparison& comparison);

}  // namespace stair::reports
