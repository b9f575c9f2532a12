// The six novels of Jane Austen, from the R package janeaustenr.
#pragma once

#include <filesystem>
#include <vector>

#include "data/text/text.h"

namespace gradus::data {

/// The novels in the package's database Rdata.rdb, named by their titles: "Emma", "Mansfield Park",
/// "Northanger Abbey", "Persuasion", "Pride and Prejudice", "Sense and Sensibility". Throws Error,
/// with the byte, where the file is cut or damaged, holds something else than vectors of strings,
/// or not just these six.
std::vector<Document> read_austen(const std::filesystem::path& rdb);

}  // namespace gradus::data
