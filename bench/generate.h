// How fast a language model writes, beside how fast its weights can be read.
#pragma once

#include "bench/workloads.h"

namespace gradus::bench {

struct GenerationTimes {
    double token_ms;   ///< median time of one token of one text, drawn from the best 40
    double read_ms;    ///< what reading all weights once takes at the speed of memory
    double read_gb_s;  ///< that speed, measured between the tokens
};

/// Writes `tokens` tokens. Throws Error for a workload that is no language model.
GenerationTimes time_generation(const Workload& work, int tokens);

}  // namespace gradus::bench
