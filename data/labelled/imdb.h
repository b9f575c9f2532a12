// Film reviews that were liked or not (Maas et al. 2011), as an npm package has them.
#pragma once

#include <filesystem>
#include <vector>

#include "data/labelled/labelled.h"

namespace gradus::data {

/// The reviews of reviews.json, [{"t": text, "s": 0 or 1}, ...], in its order, each on one line and
/// without its <br />. Throws Error, with the byte or the review's number, where the file is no such
/// list.
std::vector<LabelledText> read_imdb(const std::filesystem::path& json);

}  // namespace gradus::data
