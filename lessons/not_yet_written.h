// What a stub of exercise.h throws until its reader has written it.
#pragma once

#include <stdexcept>
#include <string>

namespace gradus::lesson {

/// throw NotYetWritten("task 3");
class NotYetWritten : public std::logic_error {
public:
    explicit NotYetWritten(const std::string& task)
        : std::logic_error(task + " is not written yet: it waits for you in exercise.h") {}
};

}  // namespace gradus::lesson
