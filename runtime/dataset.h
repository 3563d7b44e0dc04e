#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ir/attribute_spec.h"
#include "ir/kinds.h"
#include "runtime/examples.h"
#include "runtime/tensor.h"

namespace stair::runtime {

/// What a model's examples are like.
struct ExampleForm {
  std::string element;  ///< "u8" or "f32"; "" in files that don't say
  /// Pixels that the shorter side of pictures of other sizes is scaled to (read_scaled_picture()), before the middle of them is cut out;
  /// none: they have the size of the model's input, or the file doesn't say.
  std::optional<std::int64_t> shorter_side = {};
};

/// Labelled examples.
struct Dataset {
  Examples images;                                ///< [N, C, H, W] (pictures) or [N, ...], u8 (0 to 255) or f32
  Tensor labels;                                  ///< classes from 0 on, i32 [N] or, of positions, i32 [N, ...]; or values, f32 [N, ...]
  std::string source;                             ///< the file of the labels, for errors
  std::vector<std::string> classes = {};          ///< their names, where the format knows any
  std::int64_t skipped = 0;                       ///< examples that were left out, being damaged
  std::optional<std::int64_t> shorter_side = {};  ///< see ExampleForm
  std::int64_t count() const { return images.count(); }
  ExampleForm form() const { return {std::string(name_of(images.type().dtype)), shorter_side}; }
};

/// The files of a data set by what they hold ("images", "labels", "batches").
using DatasetFiles = std::map<std::string, std::vector<std::string>>;

/// What a format makes a data set of.
struct DatasetPart {
  DatasetFiles files;
  ir::Attributes settings;  ///< of the format, complete
  ir::Shape example;        ///< of an example, as the model takes it, without N; empty: not known
  bool windows = false;     ///< other windows of larger pictures than their middle will be asked for
};

/// A file format of data sets: one file in runtime/datasets.
struct DatasetFormat {
  std::string name;
  std::string summary;
  std::vector<std::string> files;  ///< the keys that load() expects
  bool many = false;               ///< a key may have several files, which follow one another
  /// Throws Error naming the file and the byte for what is missing, truncated, corrupt, or doesn't agree.
  std::function<Dataset(const DatasetPart&)> load;
  std::vector<ir::AttributeSpec> settings = {};  ///< keys that stand beside those of the files
};

using DatasetRegistry = ir::Registry<DatasetFormat>;

const DatasetRegistry& dataset_formats();

/// Error for an unknown format or key (with the nearest one), for a missing key, and for more than one file where the format takes one.
void check_files(const std::string& format, const DatasetFiles& files);

/// Loads a data set whose examples have the shape `example`, if that is known: formats of pictures cut them to it. Settings that aren't
/// given have their defaults. `windows`: training cuts other windows than the middle out of larger ones (ExampleSource). Error as
/// check_files() and the format's load() throw.
Dataset load_dataset(const std::string& format, const DatasetFiles& files, const ir::Attributes& settings = {},
                     const ir::Shape& example = {}, bool windows = false);

/// The examples of those numbers, in that order.
Dataset chosen_examples(const Dataset& all, const std::vector<std::int64_t>& numbers);

/// The setting of formats whose images needn't be in memory.
ir::AttributeSpec in_memory_setting();

/// Error naming the file unless images are u8 or f32 [N, ...].
void check_example_type(const ir::Type& images, const std::string& path);

/// Error naming file, image and element unless all images are of finite numbers (N-FINITE).
void check_images(const Examples& images, const std::string& path);

/// Error naming file, image and label unless all labels, being classes, lie in [0, classes).
void check_labels(const Dataset& dataset, std::int64_t classes);

/// Labels as values f32 [N, ...]: integers become floats, and one an example is a row of one.
void make_values(Dataset& dataset);

}  // namespace stair::runtime
