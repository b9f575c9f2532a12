#include "lessons/13-gpt/chains.h"
using namespace gradus;
int main(int argc, char** argv) {
    return lesson::run(argc, argv, "Lesson 13: GPT", [&](const lesson::Options& options) {
        lesson13::Report report{report::Page{"x"}, {}};
        lesson::Results results(options);
        lesson13::prove(results, report, options.seed, options.quick);
        return results.finish(report.page);
    });
}
