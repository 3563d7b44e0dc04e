#include "frontend/exporter.h"

namespace stair::frontend {

namespace exporters_ {
void register_all(ExporterRegistry& registry);  // generated from the files of frontend/exporters
}

const ExporterRegistry& exporters() {
  static const ExporterRegistry all = ir::filled(exporters_::register_all);
  return all;
}

}  // namespace stair::frontend
