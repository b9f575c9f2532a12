// What a project of one's own does first: take a gradient.
#include <cstdio>

#include "autograd/ops.h"

int main() {
    gradus::Tensor x = gradus::Tensor::from<float>({1, 2, 3});
    x.requires_grad();
    gradus::Tape tape;
    tape.backward(gradus::sum(x * x));
    std::printf("d(x*x)/dx at 3 is %g\n", x.grad().at(2));
    return x.grad().at(2) == 6 ? 0 : 1;
}
