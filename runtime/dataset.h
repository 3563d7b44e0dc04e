#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ir/attribute_spec.h"
#include "ir/kinds.h"
#include "runtime/example_form.h"
#include "runtime/examples.h"
#include "runtime/tensor.h"

namespace stair::runtime {

/// Labelled examples.
struct Dataset {
  Dataset() = default;
  /// Of a model with one input.
  Dataset(Examples examples, Tensor its_labels, std::string file);

  /// One an input of the model: [N, C, H, W] (pictures) or [N, ...], u8 (0 to 255) or f32; or indices, i32 [N, ...].
  std::vector<Examples> inputs;
  std::vector<std::string> input_files;  ///< where each comes from, for errors
  /// One for each output that has labels: classes from 0 on, i32 [N] or, of positions, i32 [N, ...]; or values, f32 [N, ...].
  std::vector<Tensor> labels;
  std::vector<std::string> label_files;           ///< where each comes from, for errors
  std::string source;                             ///< where all of it comes from, or the first labels
  std::vector<std::string> classes = {};          ///< their names, where the format knows any
  std::int64_t skipped = 0;                       ///< examples that were left out, being damaged
  std::optional<std::int64_t> shorter_side = {};  ///< see ExampleForm
  std::int64_t count() const { return inputs.front().count(); }
  std::vector<ExampleForm> forms() const;  ///< one an input
};

/// The files of a data set by what they hold ("images", "labels", "batches").
using DatasetFiles = std::map<std::string, std::vector<std::string>>;

/// An input of a model, as its data have it.
struct DatasetInput {
  std::string name;
  ir::Shape example;      ///< without N
  std::int64_t rows = 0;  ///< it is indices i32, from 0 to one less; 0: it isn't, but u8 or f32
};

/// What a format makes a data set of.
struct DatasetPart {
  DatasetFiles files;
  ir::Attributes settings = {};           ///< of the format
  std::vector<DatasetInput> inputs = {};  ///< the model's, in its order; none: not known, and one
  bool windows = false;                   ///< other windows of larger pictures than their middle will be asked for
  /// Keys of files or settings that are said for each input or output of the model, by its name, instead of once.
  std::map<std::string, DatasetFiles> named = {};
  std::vector<std::string> outputs = {};  ///< those of the model that are held against labels; none: not known, and one
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
  std::string by_input = {};                     ///< the key that may be said for each input of a model; none: examples are pictures
  std::vector<std::string> by_output = {};       ///< keys that may be said for each output
};

using DatasetRegistry = ir::Registry<DatasetFormat>;

const DatasetRegistry& dataset_formats();

/// Error for an unknown format or key (with the nearest one), for a missing key, for more than one file where the format takes one, and for
/// keys that are said by names which the model's inputs or outputs don't have, or not for each input.
void check_part(const std::string& format, const DatasetPart& part);

/// Loads a data set. Formats of pictures cut them to the model's input. Settings that aren't given have their defaults. Error as
/// check_part() and the format's load() throw.
Dataset load_dataset(const std::string& format, DatasetPart part);

/// DatasetInput::rows of an input, by number.
std::int64_t rows_of_input(const DatasetPart& part, std::size_t input);
/// What the part says by a key of files or settings for each input, in their order: a list of texts each, of which a setting that is a text
/// has one.
std::vector<std::vector<std::string>> said_by_input(const DatasetPart& part, const std::string& key);
/// The same for the outputs; once where it is said once, for all of them. Empty for an output that the key leaves out.
std::vector<std::vector<std::string>> said_by_output(const DatasetPart& part, const std::string& key);

/// The examples of those numbers, in that order.
Dataset chosen_examples(const Dataset& all, const std::vector<std::int64_t>& numbers);

/// The setting of formats whose images needn't be in memory.
ir::AttributeSpec in_memory_setting();

/// Error naming the file unless images are u8 or f32 [N, ...].
void check_example_type(const ir::Type& images, const std::string& path);

/// Error naming the file, image and element unless the index lies in [0, rows). `element` counts those of all images, `of_image` of one.
void check_index(std::int64_t index, std::int64_t rows, std::int64_t element, std::int64_t of_image, const std::string& path);
/// Indices i32 [N, ...] of integers of any type, each in [0, rows). Error naming the file and what isn't.
Tensor as_indices(const Tensor& read, std::int64_t rows, const std::string& path);

/// Error naming file, image and element unless all images are of finite numbers (N-FINITE).
void check_images(const Examples& images, const std::string& path);

/// Error naming the file, image and label unless all labels, classes i32 [N, ...], lie in [0, classes).
void check_labels(const Tensor& labels, std::int64_t classes, const std::string& file);

/// Labels as values f32 [N, ...]: integers become floats, and one an example is a row of one.
Tensor as_values(const Tensor& labels);

}  // namespace stair::runtime
