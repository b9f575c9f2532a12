// What holds for every op: right gradients, in large as in small; float32 close to float64; the same bits for any number
// of threads.
#ifdef _OPENMP
#include <omp.h>
#endif

#include "tests/autograd/catalogue.h"

using namespace gradus;
using namespace gradus::test;

TEST_CASE("every op: its gradient is that of float64 differences, element by element") {
    for (const Case& c : catalogue(5, 7)) check_gradient(c.name, c.f, c.inputs);
}

TEST_CASE("every op: its gradient is right over sizes that threads share") {
    // Along a direction of length 1 each of so many elements moves by about step / 130.
    const GradcheckOptions options{.step = 1e-4, .every = 64, .directions = 1};
    for (const Case& c : catalogue(65, 257)) check_gradient(c.name, c.f, c.inputs, options);
}

TEST_CASE("every op: float32 is float64 to 2e-5, in values and gradients") {
    for (const Case& c : catalogue(13, 37)) {
        const auto wide = run(c.f, c.inputs), narrow = run(c.f, c.inputs, Dtype::f32);
        for (size_t i = 0; i < wide.size(); ++i) {
            INFO(c.name << ", " << (i ? "gradient" : "value") << " " << i);
            CHECK(distance(narrow[i].to(Dtype::f64), wide[i]) <= 2e-5);
        }
    }
}

TEST_CASE("every op: the same bits on 1, 2 and 3 threads") {
#ifdef _OPENMP
    const int before = omp_get_max_threads();
    for (const Case& c : catalogue(131, 257))
        for (Dtype dtype : {Dtype::f32, Dtype::f64}) {
            omp_set_num_threads(1);
            const auto alone = run(c.f, c.inputs, dtype);
            for (int threads : {2, 3}) {
                if (threads == 2 && dtype == Dtype::f64) continue;
                omp_set_num_threads(threads);
                const auto together = run(c.f, c.inputs, dtype);
                for (size_t i = 0; i < alone.size(); ++i) {
                    INFO(c.name << " on " << threads << " threads, result " << i);
                    CHECK(same_bits(alone[i], together[i]));
                }
            }
        }
    omp_set_num_threads(before);
#endif
}
