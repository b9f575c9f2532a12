// Stage A: what attention can do, and what it needs for it.
#pragma once

#include "lessons/12-transformer/depth.h"
#include "lessons/12-transformer/induction.h"
#include "lessons/12-transformer/letters.h"

namespace gradus::lesson12 {

inline void prove(lesson::Results& results, Report& report, uint64_t seed, bool quick) {
    report.page.heading("Proof: everything is looked up");
    prove_letters(results, report, seed, quick);
    if (lesson::interrupted()) return;
    prove_depth(results, report, seed, quick);
    if (lesson::interrupted()) return;
    prove_induction(results, report, seed, quick);
}

}  // namespace gradus::lesson12
