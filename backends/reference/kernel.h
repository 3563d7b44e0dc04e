#pragma once

// What the reference kernels share. A kernel file NAME.cpp in kernels/ defines `void NAME(FunctionKernels&)` that registers its functions.
// Reference kernels are the oracle: plain loops in the order of the formula, templated over float and double where the op is on floats
// (double serves gradient checks and `verify`). Loops over images may be a `parallel_for` (each result element is computed by one
// thread, in one order).

#include "backends/backend.h"
#include "backends/element_types.h"
#include "backends/parallel_for.h"
#include "backends/range.h"
#include "ir/error.h"
#include "ir/numerics.h"
#include "ir/op.h"
