// The tape: what was computed, in the order in which it was computed, so that it can be walked back.
#pragma once

#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "autograd/memory.h"
#include "autograd/tensor.h"

namespace gradus {

class Gradient;
struct Input;

/// One recorded op's way back: adds to the gradients of its inputs what the gradient of its output makes of them.
class Operation {
public:
    virtual ~Operation() = default;
    virtual void backward(const Tensor& dy, const Gradient* inputs, size_t count) = 0;
};

/// Recording is this scope: from the constructor on, ops of this thread whose inputs want a gradient are remembered; the
/// destructor forgets them. Without a tape in scope nothing is recorded. Tapes nest; the innermost records, and a value of
/// another tape, open or gone, is a constant to it.
///
///     Tape tape;
///     Tensor loss = cross_entropy(model(x), y);
///     tape.backward(loss);      // gradients arrive in the leaves: parameter.grad()
class Tape {
public:
    /// `composed` asks every fused op to record its composed twin instead: slower, but differentiable any number of times.
    enum class Fused { kernels, composed };

    explicit Tape(Fused fused = Fused::kernels);
    ~Tape();
    Tape(const Tape&) = delete;
    Tape& operator=(const Tape&) = delete;

    /// The tape that records on this thread, or null.
    static Tape* current() { return current_; }
    /// Whether fused ops should record their composed twins now.
    static bool wants_composed() { return current_ && current_->fused_ == Fused::composed; }

    /// Walks back from a scalar and adds dloss/dleaf to each leaf's gradient. What was recorded is released on the way:
    /// a tape goes back once. Throws where `loss` is not a scalar or not of this tape, or where the tape was used.
    void backward(const Tensor& loss);
    /// The same from any tensor, given the gradient of something with respect to it: `seed` has the shape of y.
    void backward(const Tensor& y, const Tensor& seed);

    /// dy/dx for each x, themselves recorded on this tape, so that they can be differentiated again. `y` is a scalar; each
    /// x is a leaf or a recorded value; where y does not depend on x the gradient is zero. The leaves' own gradients stay
    /// as they are. Throws where an op on the way has no second derivative and the tape was not opened as `composed`.
    std::vector<Tensor> gradients(const Tensor& y, const std::vector<Tensor>& xs);

    /// Whether the value was recorded here, and by which op; op_of throws where it was not.
    bool recorded(const Tensor& value) const { return value.body().tape == id_; }
    const char* op_of(const Tensor& value) const;

    /// What a recorded value looks like from outside, for drawings and tables.
    struct Entry {
        const char* op;  // "leaf" for a parameter or input that requires a gradient
        Shape shape;
        Dtype dtype;
        std::vector<int>
            inputs;  // positions in the list; inputs that want no gradient are left out
    };
    std::vector<Entry> entries() const;

    /// The recording as a Graphviz drawing, with op, shape and bytes of each value; given a profiler that ran meanwhile,
    /// with the mean time of each op.
    std::string to_dot(const class Profiler* times = nullptr) const;

private:
    friend class Gradient;
    template <class Backward>
    friend Tensor record(const char* op, std::span<const Input> inputs, Tensor y,
                         Backward backward);

    struct Node {
        const char* op;
        Operation* operation;    // null for a leaf
        const Gradient* inputs;  // where the gradients of the inputs go
        int32_t input_count;
        Dtype dtype;
        Shape shape;
        Tensor grad;  // of the loss with respect to this value, while it is being gathered
        Tensor leaf;
    };

    // Memory that is handed out piece by piece and given back at once.
    class Arena {
    public:
        ~Arena();
        void* allocate(size_t bytes);

    private:
        static constexpr size_t kChunk = size_t{64} << 10;
        struct Chunk {
            Chunk* previous;
            size_t bytes;
        };
        Chunk* chunk_ = nullptr;
        char* next_ = nullptr;
        char* end_ = nullptr;
    };

    // The node of a value, or -1 where nobody wants its gradient.
    int32_t node_of(const Tensor& value) {
        const Tensor::Body& body = value.body();
        if (body.tape == id_) return body.node;
        return body.requires_grad ? add_leaf(value) : -1;
    }
    int32_t add_leaf(const Tensor& leaf);
    void add(const char* op, Operation* operation, const Gradient* inputs, size_t count,
             const Tensor& y);
    int32_t checked_node(const char* what, const Tensor& y) const;
    static void release(Node& node);

    static inline thread_local constinit Tape* current_ = nullptr;
    static thread_local std::vector<Node>
        spare_;  // the list of the thread's last tape, for the next

    std::vector<Node> nodes_;
    Arena arena_;
    Tape* outer_;
    uint32_t id_;
    Fused fused_;
    bool used_ = false;
    const char* way_back_of_ = nullptr;  // the op that gradients() is at; null outside it
};

/// Where the gradient of one input goes. False where nobody wants it; then adding to it does nothing.
class Gradient {
public:
    Gradient(Tape& tape, int32_t node) : tape_(&tape), node_(node) {}

    explicit operator bool() const { return node_ >= 0; }
    Shape shape() const { return node().shape; }  // a copy: the tape may grow before it is used
    Dtype dtype() const { return node().dtype; }

    /// Adds `t`, which has the input's shape. The first contribution is kept as it is, without a copy.
    void operator+=(Tensor t);

    /// Memory for a kernel: it overwrites (add false: the first contribution) or adds.
    template <class T>
    struct Sink {
        T* data;
        bool add;
    };
    template <class T>
    Sink<T> sink() {
        const auto [memory, first] = prepare();
        return {memory.data<T>(), !first};
    }
    /// Memory for a kernel that adds to some elements only: zeros before the first contribution.
    Tensor& zeroed() {
        const auto [memory, first] = prepare();
        if (first) memory.fill(0);
        return memory;
    }
    /// What has been gathered so far, or an undefined tensor.
    Tensor value() const;

private:
    friend class Tape;
    Tape::Node& node() const { return tape_->nodes_[static_cast<size_t>(node_)]; }
    bool to_leaf() const { return node().leaf.defined() && !tape_->way_back_of_; }
    Tensor& slot() const { return to_leaf() ? node().leaf.body_->grad : node().grad; }

    struct Prepared {
        Tensor& memory;
        bool first;  // nothing is in it yet
    };
    Prepared prepare();  // makes the slot's memory ready to write

    Tape* tape_;
    int32_t node_;
};

/// An input of record(): a reference, so that a list of them costs nothing.
struct Input {
    const Tensor* tensor;
    Input(const Tensor& t)
        : tensor(&t) {}  // NOLINT(google-explicit-constructor): {a, b} should read as it does
};

/// Sees every op as it ends, forward and backward; what AnomalyGuard and Profiler are made of.
class Observer {
public:
    Observer() : outer_(std::exchange(current_, this)) {}
    virtual ~Observer() { current_ = outer_; }
    Observer(const Observer&) = delete;
    Observer& operator=(const Observer&) = delete;
    static Observer* current() { return current_; }

    /// A tape opened: what ran before it is no op's time.
    virtual void on_tape() = 0;
    virtual void on_forward(const char* op, std::span<const Input> inputs, const Tensor& y) = 0;
    virtual void on_backward(const char* op, const Tensor& dy, std::span<const Gradient> dx) = 0;

private:
    friend class Tape;
    static inline thread_local constinit Observer* current_ = nullptr;
    Observer* outer_;
};

/// Ends every op: remembers how to go back from y to its inputs, if anyone wants that, and hands y on. `backward` is called
/// with dy and one Gradient for each input, in their order (more than four: with dy and a span of them). What it needs of
/// the forward pass it captures.
///
///     return record("matmul", {a, b}, y, [=](const Tensor& dy, Gradient da, Gradient db) { ... });
template <class Backward>
Tensor record(const char* op, std::span<const Input> inputs, Tensor y, Backward backward) {
    struct Recorded final : Operation {
        Backward f;
        explicit Recorded(Backward&& way_back) : f(std::move(way_back)) {}
        void backward(const Tensor& dy, const Gradient* d, size_t count) override {
            using G = Gradient;
            if constexpr (std::is_invocable_v<Backward&, const Tensor&, G>)
                f(dy, d[0]);
            else if constexpr (std::is_invocable_v<Backward&, const Tensor&, G, G>)
                f(dy, d[0], d[1]);
            else if constexpr (std::is_invocable_v<Backward&, const Tensor&, G, G, G>)
                f(dy, d[0], d[1], d[2]);
            else if constexpr (std::is_invocable_v<Backward&, const Tensor&, G, G, G, G>)
                f(dy, d[0], d[1], d[2], d[3]);
            else
                f(dy, std::span<const G>(d, count));
        }
    };
    if (Tape* tape = Tape::current()) {
        auto* gradients =
            static_cast<Gradient*>(tape->arena_.allocate(inputs.size() * sizeof(Gradient)));
        bool wanted = false;
        for (size_t i = 0; i < inputs.size(); ++i) {
            const Gradient* gradient =
                new (gradients + i) Gradient(*tape, tape->node_of(*inputs[i].tensor));
            wanted |= static_cast<bool>(*gradient);
        }
        if (wanted) {
            auto* operation =
                new (tape->arena_.allocate(sizeof(Recorded))) Recorded(std::move(backward));
            tape->add(op, operation, gradients, inputs.size(), y);
        }
    }
    if (Observer* observer = Observer::current()) [[unlikely]]
        observer->on_forward(op, inputs, y);
    return y;
}

template <class Backward>
Tensor record(const char* op, std::initializer_list<Input> inputs, Tensor y, Backward backward) {
    return record(op, std::span(inputs.begin(), inputs.size()), std::move(y), std::move(backward));
}

}  // namespace gradus
