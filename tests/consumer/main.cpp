// What a project of one's own does first: take a gradient.
#include <cstdio>

#include "autograd/tensor.h"

int main() { std::puts("gradus is here"); }
