// What the sources share: rows of probabilities, drawn from, checked, solved for.
#pragma once

#include <functional>
#include <span>
#include <string_view>

#include "autograd/random.h"

namespace gradus::data {

/// A position, drawn with the probability that stands there.
int32_t draw(std::span<const double> probabilities, Rng& rng);

/// Rows of a symmetric Dirichlet distribution, [rows, columns] in f64: near 0 each row sits on one
/// column, at 1 all rows are equally likely, for large concentrations all rows are nearly even.
Tensor dirichlet(int64_t rows, int64_t columns, double concentration, Rng& rng);

/// Throws Error, naming the row, unless every row of a table [rows, columns], f64, is a
/// distribution: nothing negative, a sum within 1e-9 of 1.
void check_rows(std::string_view what, const Tensor& table);

/// Throws Error, naming the position, unless ids is [n], i32, of numbers from `lowest` to below
/// `count`.
void check_ids(std::string_view what, const Tensor& ids, int64_t count, int32_t lowest = 0);

/// The distribution π = π P over the states of a chain, where `move` makes π P [S] of π [S]. Where
/// there are several (states that cannot reach each other), the one that an even beginning leads to.
/// Throws Error where the chain forgets its beginning too slowly to tell.
Tensor stationary(std::string_view what, int64_t states,
                  const std::function<Tensor(const Tensor&)>& move);

/// Row i of a table [rows, columns].
inline std::span<const double> row(const Tensor& table, int64_t i) {
    const auto columns = static_cast<size_t>(table.size(1));
    return table.values<double>().subspan(static_cast<size_t>(i) * columns, columns);
}

/// -Σ p ln p, in nats.
double entropy(std::span<const double> probabilities);

}  // namespace gradus::data
