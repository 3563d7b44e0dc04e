#include "ir/error.h"
#include "runtime/dataset.h"

namespace stair::runtime::datasets {

void none(DatasetRegistry& registry) {
  registry.add({"none", "no data: what a checkpoint has that was imported and not trained", {}, false, [](const DatasetPart&) -> Dataset {
                  throw Error(
                      "no data are stated (the format 'none': imported, not trained), expected an experiment with data that starts "
                      "from it");
                }});
}

}  // namespace stair::runtime::datasets
