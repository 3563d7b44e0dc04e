#pragma once

#include <string>
#include <vector>

#include "ir/attribute_spec.h"
#include "ir/json.h"

namespace stair::ir {

/// The JSON that users write, read as their specs say: types, bounds, choices, kinds, defaults. Keys that `specs` don't name are unknown,
/// and so are, at the root, all but "$schema". Error "SOURCE POINTER: found …, expected … (nearest name)" for the first fault in the
/// document's order. What a spec leaves to another reader is looked at for its type alone, and isn't among the attributes.
/// A key of another kind than the object's is a fault too; `idle` takes its message instead: runs have been trained with such keys.
Attributes read_object(const Json& value, const std::vector<AttributeSpec>& specs, const std::string& source, const std::string& pointer,
                       std::vector<std::string>* idle = nullptr);

/// One value.
Attribute read_value(const Json& value, const AttributeSpec& spec, const std::string& source, const std::string& pointer,
                     std::vector<std::string>* idle = nullptr);

/// An object's members as JSON that read_object() reads: in the order of the specs, a kind before its members.
Json json_of(const AttributeSpec& object, const Attributes& members);

/// "an object", "a list", or the value itself, for messages.
std::string shown(const Json& value);

}  // namespace stair::ir
