#include "pieces.h"

#include <algorithm>
#include <unordered_map>

#include "text_of_failure.h"

dnnl::engine& cpu() {
  static dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

namespace {

constexpr std::size_t alignment = 64;

std::size_t aligned(std::size_t bytes) {
  return (bytes + alignment - 1) / alignment * alignment;
}

dnnl::memory memory_at(const dnnl::memory::desc& desc, const void* data) {
  return {desc, cpu(), const_cast<void*>(data)};
}

dnnl::memory::desc bytes_desc(std::size_t bytes) {
  return {{static_cast<dnnl::memory::dim>(bytes)}, dnnl::memory::data_type::u8, dnnl::memory::format_tag::a};
}

}  // namespace

// One run of the node: where its memory is.
class Pieces::Execution {
 public:
  Execution(const Pieces& pieces, const stair_arguments& arguments)
      : pieces_(pieces), arguments_(arguments), scratch_(static_cast<std::byte*>(arguments.scratch)) {}

  // What all pieces read is reordered once.
  void load_shared() const {
    const dnnl::stream stream(cpu());
    for (const Slot& slot : pieces_.slots_) {
      if (slot.shared() && slot.reorders() && !slot.packed) reorder(slot, 0, stream);
    }
  }

  void run_piece(std::int64_t piece) const {
    const dnnl::stream stream(cpu());
    std::unordered_map<int, dnnl::memory> given{{DNNL_ARG_SCRATCHPAD, scratchpad(piece, pieces_.scratchpad_bytes_)}};
    for (const Slot& slot : pieces_.slots_) {
      given.emplace(slot.argument.id, slot.reorders() ? staged(slot, piece) : outside(slot, piece));
      if (slot.reorders() && !slot.shared() && !slot.argument.result) reorder(slot, piece, stream);
    }
    pieces_.primitive_.execute(stream, given);
    for (const Slot& slot : pieces_.slots_) {
      if (slot.reorders() && slot.argument.result) reorder(slot, piece, stream);
    }
  }

 private:
  // The tensor in Staircase's memory.
  dnnl::memory outside(const Slot& slot, std::int64_t piece) const {
    const Argument& argument = slot.argument;
    const void* data = argument.result ? arguments_.results[argument.place] : arguments_.operands[argument.place];
    return memory_at(argument.given, static_cast<const std::byte*>(data) + piece * argument.step);
  }
  // The same as the primitive wants it.
  dnnl::memory staged(const Slot& slot, std::int64_t piece) const {
    if (slot.packed) return slot.packed;
    return memory_at(slot.wanted, (slot.shared() ? scratch_ : scratch_of(piece)) + slot.offset);
  }
  std::byte* scratch_of(std::int64_t piece) const {
    return scratch_ + pieces_.shared_bytes_ + static_cast<std::size_t>(piece) * pieces_.piece_bytes_;
  }
  dnnl::memory scratchpad(std::int64_t piece, std::size_t bytes) const { return memory_at(bytes_desc(bytes), scratch_of(piece)); }

  void reorder(const Slot& slot, std::int64_t piece, const dnnl::stream& stream) const {
    const dnnl::memory in = slot.argument.result ? staged(slot, piece) : outside(slot, piece);
    const dnnl::memory out = slot.argument.result ? outside(slot, piece) : staged(slot, piece);
    slot.reorder.execute(stream, {{DNNL_ARG_FROM, in}, {DNNL_ARG_TO, out}, {DNNL_ARG_SCRATCHPAD, scratchpad(piece, slot.scratchpad)}});
  }

  const Pieces& pieces_;
  const stair_arguments& arguments_;
  std::byte* scratch_;
};

Pieces::Pieces(const Plan& plan, const void* const* constants)
    : pieces_(plan.pieces), scratchpad_bytes_(plan.primitive.scratchpad_desc().get_size()), description_(plan.primitive.impl_info_str()) {
  primitive_ = dnnl::primitive(plan.primitive);
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  std::size_t scratchpad = scratchpad_bytes_;
  for (const Argument& argument : plan.arguments) {
    Slot slot{argument, plan.primitive.query_md(dnnl::query::exec_arg_md, argument.id)};
    if (!slot.wanted.is_zero() && slot.wanted != argument.given) {
      const dnnl::memory::desc& from = argument.result ? slot.wanted : argument.given;
      const dnnl::memory::desc& to = argument.result ? argument.given : slot.wanted;
      const dnnl::reorder::primitive_desc desc(cpu(), from, cpu(), to, attributes);
      slot.reorder = dnnl::reorder(desc);
      slot.scratchpad = desc.scratchpad_desc().get_size();
      scratchpad = std::max(scratchpad, slot.scratchpad);
    }
    slots_.push_back(std::move(slot));
  }
  piece_bytes_ = aligned(scratchpad);
  for (Slot& slot : slots_) {
    if (!slot.reorders()) continue;
    const void* constant = slot.argument.result ? nullptr : constants[slot.argument.place];
    if (constant != nullptr && slot.shared()) {
      std::vector<std::byte> memory(slot.scratchpad + 1);
      slot.packed = dnnl::memory(slot.wanted, cpu());
      const dnnl::stream stream(cpu());
      slot.reorder.execute(stream, {{DNNL_ARG_FROM, memory_at(slot.argument.given, constant)},
                                    {DNNL_ARG_TO, slot.packed},
                                    {DNNL_ARG_SCRATCHPAD, memory_at(bytes_desc(slot.scratchpad), memory.data())}});
      continue;
    }
    std::size_t& region = slot.shared() ? shared_bytes_ : piece_bytes_;
    slot.offset = region;
    region += aligned(slot.wanted.get_size());
  }
}

const char* Pieces::run(const stair_arguments& arguments) const {
  const Execution execution(*this, arguments);
  execution.load_shared();
  const auto run_pieces = [](void* data, std::int64_t first, std::int64_t last, std::int32_t) {
    return text_of_failure([&] {
      for (std::int64_t piece = first; piece < last; ++piece) static_cast<const Execution*>(data)->run_piece(piece);
    });
  };
  return arguments.parallel_for(&arguments, pieces_, 1, run_pieces, const_cast<Execution*>(&execution));
}
