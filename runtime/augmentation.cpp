#include "runtime/augmentation.h"

#include <algorithm>

namespace stair::runtime {

void with_zero(const ir::Attribute& /*setting*/, backends::MinMax& range) {
  range.see(0.0F, 0.0F);
}

const ir::AttributeSpec& augmentation_spec() {
  static const ir::AttributeSpec spec = [] {
    ir::AttributeSpec made{.name = "augmentation", .doc = "of training pictures", .fallback = ir::Object()};
    for (const auto& [name, kind] : augmentations().all()) {
      made.members.push_back(kind.setting);
      made.members.back().name = name;
      made.members.back().doc = kind.summary;
    }
    return made;
  }();
  return spec;
}

std::vector<std::pair<const Augmentation*, ir::Attribute>> switched_on(const ir::Attributes& members) {
  static const ir::Attributes off = ir::completed(augmentation_spec().members, {}, "", "key");
  std::vector<std::pair<const Augmentation*, ir::Attribute>> on;
  for (const auto& [name, setting] : members) {
    if (setting != off.at(name)) on.emplace_back(augmentations().find(name), setting);
  }
  return on;
}

std::pair<const Augmentation*, ir::Attribute> mixing(const ir::Attributes& members) {
  for (const auto& each : switched_on(members)) {
    if (each.first->mixes) return each;
  }
  return {};
}

bool cuts_windows(const ir::Attributes& members) {
  const auto on = switched_on(members);
  return std::any_of(on.begin(), on.end(), [](const auto& each) { return each.first->cuts_windows; });
}

}  // namespace stair::runtime
