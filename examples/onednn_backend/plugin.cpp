// The backend "onednn": float convolutions and products with their gradients, and integer convolutions where oneDNN's bits are those of the
// arithmetic contract.

#include <string>
#include <string_view>
#include <utility>

#include "pieces.h"
#include "plan.h"
#include "text_of_failure.h"

struct stair_kernel {
  Pieces pieces;
};

namespace {

constexpr std::pair<std::string_view, Planner> planners[] = {{"conv2d", conv2d},
                                                             {"conv2d_grad_input", conv2d_grad_input},
                                                             {"conv2d_grad_weight", conv2d_grad_weight},
                                                             {"conv2d_integer", conv2d_integer},
                                                             {"linear", linear},
                                                             {"matmul", matmul}};

Planner planner_of(std::string_view op) {
  for (const auto& [name, planner] : planners) {
    if (name == op) return planner;
  }
  throw Declined("only convolutions, linear layers and products of matrices are handed to oneDNN");
}

Plan plan_of(const stair_node& node) {
  const Planner planner = planner_of(node.op);
  Plan plan = planner(node);
  if (std::string_view(plan.primitive.impl_info_str()).starts_with("ref")) throw Declined("oneDNN has nothing but plain loops for it");
  return plan;
}

const char* supports_op(const char* op) {
  return text_of_failure([&] { planner_of(op); });
}
const char* supports(const stair_node* node) {
  return text_of_failure([&] { plan_of(*node); });
}
const char* prepare(const stair_node* node, const void* const* constants, stair_kernel** kernel) {
  return text_of_failure([&] { *kernel = new stair_kernel{Pieces(plan_of(*node), constants)}; });
}
std::size_t scratch_bytes(const stair_kernel* kernel) {
  return kernel->pieces.scratch_bytes();
}
const char* description(const stair_kernel* kernel) {
  return kernel->pieces.description().c_str();
}
const char* run(stair_kernel* kernel, const stair_arguments* arguments) {
  const char* failed = nullptr;
  const char* thrown = text_of_failure([&] { failed = kernel->pieces.run(*arguments); });
  return thrown == nullptr ? failed : thrown;
}
void destroy(stair_kernel* kernel) {
  delete kernel;
}

const stair_plugin table{.abi_version = STAIR_PLUGIN_ABI,
                         .layout = STAIR_NHWC,
                         .struct_size = sizeof(stair_plugin),
                         .name = "onednn",
                         .summary = "oneDNN: float convolutions and products, exact integer convolutions with VNNI",
                         .supports_op = supports_op,
                         .supports = supports,
                         .prepare = prepare,
                         .scratch_bytes = scratch_bytes,
                         .description = description,
                         .run = run,
                         .destroy = destroy};

}  // namespace

const char* stair_plugin_load(uint32_t, const stair_plugin** plugin) {
  *plugin = &table;
  return nullptr;
}
