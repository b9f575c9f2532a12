// A file that appears whole or not at all.
#pragma once

#include <filesystem>
#include <span>
#include <string>

namespace gradus {

/// Collects what is written in a file beside `path` and puts it in its place at commit(), once it
/// is safely on the disk. Without commit() the file beside is removed and `path` is as it was.
/// Every failure is an Error with the system's reason.
class AtomicFile {
public:
    explicit AtomicFile(const std::filesystem::path& path);
    ~AtomicFile();
    AtomicFile(const AtomicFile&) = delete;
    AtomicFile& operator=(const AtomicFile&) = delete;

    void write(std::span<const std::byte> bytes);
    void commit();

private:
    [[noreturn]] void fail_to(const char* what) const;

    std::filesystem::path path_, beside_;
    int file_ = -1;
};

}  // namespace gradus
