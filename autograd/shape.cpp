#include "autograd/shape.h"

namespace gradus {

std::string to_string(const Shape& shape) {
    return fmt::format("[{}]", fmt::join(shape.begin(), shape.end(), ", "));
}

Shape broadcast(const char* op, const Shape& a, const Shape& b) {
    if (a == b) return a;
    Shape result = a.rank() >= b.rank() ? a : b;
    for (int i = 1; i <= std::min(a.rank(), b.rank()); ++i) {
        check(a[-i] == b[-i] || a[-i] == 1 || b[-i] == 1, op,
              "shapes do not broadcast: a is {}, b is {} ({} and {} on axis {} from the end; equal "
              "sizes or a 1 expected)",
              a, b, a[-i], b[-i], i);
        result[-i] = a[-i] == 1 ? b[-i] : a[-i];
    }
    return result;
}

int normal_axis(const char* op, int64_t axis, const Shape& shape) {
    check(axis >= -shape.rank() && axis < shape.rank(), op,
          "axis {} of a tensor of shape {} does not exist ({} axes)", axis, shape, shape.rank());
    return static_cast<int>(axis < 0 ? axis + shape.rank() : axis);
}

}  // namespace gradus
