#include "autograd/tape.h"

#include "autograd/ops/elementwise.h"

namespace gradus {

thread_local std::vector<Tape::Node> Tape::spare_;

Tape::Tape(Fused fused) : outer_(current_), fused_(fused) {
    static std::atomic<uint32_t> last{0};
    id_ = ++last;
    nodes_.swap(spare_);
    current_ = this;
    if (Observer* observer = Observer::current()) observer->on_tape();
}

Tape::~Tape() {
    for (Node& node : nodes_) release(node);
    nodes_.clear();
    if (nodes_.capacity() > spare_.capacity()) spare_.swap(nodes_);
    current_ = outer_;
}

int32_t Tape::add_leaf(const Tensor& leaf) {
    add("leaf", nullptr, nullptr, 0, leaf);
    nodes_.back().leaf = leaf;
    return leaf.body_->node;
}

void Tape::add(const char* op, Operation* operation, const Gradient* inputs, size_t count,
               const Tensor& y) {
    y.body_->tape = id_;
    y.body_->node = static_cast<int32_t>(nodes_.size());
    Node& node = nodes_.emplace_back();
    node.op = op;
    node.operation = operation;
    node.inputs = inputs;
    node.input_count = static_cast<int32_t>(count);
    node.dtype = y.dtype();
    node.shape = y.shape();
}

void Tape::release(Node& node) {
    if (node.operation) std::destroy_at(std::exchange(node.operation, nullptr));
}

int32_t Tape::checked_node(const char* what, const Tensor& y) const {
    check(!used_, what,
          "this tape was used already, and what it recorded is released; record the step again in "
          "a new Tape");
    check(recorded(y), what,
          "the tensor of shape {} was not recorded on this tape: it was computed before the tape "
          "was opened or on another "
          "tape, or none of its inputs requires a gradient",
          y.shape());
    return y.body_->node;
}

const char* Tape::op_of(const Tensor& value) const {
    return nodes_[static_cast<size_t>(checked_node("op_of", value))].op;
}

void Tape::backward(const Tensor& loss) {
    check(loss.size() == 1, "backward",
          "the loss has shape {}, a scalar was expected; reduce it with sum or mean, or give "
          "backward(y, seed) a seed of this shape",
          loss.shape());
    backward(loss, Tensor::ones(loss.shape(), loss.dtype()));
}

void Tape::backward(const Tensor& y, const Tensor& seed) {
    const int32_t last = checked_node("backward", y);
    check(seed.shape() == y.shape() && seed.dtype() == y.dtype(), "backward",
          "the seed is {} {}, y is {} {}", seed.shape(), name(seed.dtype()), y.shape(),
          name(y.dtype()));
    current_ = nullptr;  // the way back is not recorded, and neither is anything after it
    used_ = true;
    Gradient(*this, last) += seed;
    // Whoever watches sees each way back as a whole, not the ops that it is made of.
    struct Unwatched {
        Observer* watcher = std::exchange(Observer::current_, nullptr);
        ~Unwatched() { Observer::current_ = watcher; }
    } unwatched;
    for (auto node = nodes_.begin() + last; node >= nodes_.begin(); --node) {
        if (!node->operation) continue;
        if (node->grad.defined()) {
            const Tensor dy = std::move(node->grad);
            node->operation->backward(dy, node->inputs, static_cast<size_t>(node->input_count));
            if (unwatched.watcher) [[unlikely]]
                unwatched.watcher->on_backward(
                    node->op, dy, {node->inputs, static_cast<size_t>(node->input_count)});
        }
        release(*node);
    }
}

std::vector<Tensor> Tape::gradients(const Tensor& y, const std::vector<Tensor>& xs) {
    check(y.size() == 1, "gradients",
          "y has shape {}, a scalar was expected; reduce it with sum or mean", y.shape());
    const int32_t last = recorded(y) ? checked_node("gradients", y) : -1;  // -1: y is a constant
    for (const Tensor& x : xs)
        check(node_of(x) >= 0, "gradients",
              "an x of shape {} was not recorded on this tape and requires no gradient", x.shape());
    check(current_ == this, "gradients", "another tape is recording; close it first");
    struct Underway {  // also an error leaves the tape ready for backward()
        Tape& tape;
        ~Underway() {
            tape.way_back_of_ = nullptr;
            for (Node& node : tape.nodes_) node.grad = Tensor();
        }
    } underway{*this};
    way_back_of_ = "gradients";
    Gradient(*this, last) += Tensor::ones(y.shape(), y.dtype());
    for (int32_t i = last; i >= 0; --i) {
        // A copy: the list grows while the way back is recorded.
        const Node node = nodes_[static_cast<size_t>(i)];
        if (!node.operation || !node.grad.defined()) continue;
        way_back_of_ = node.op;
        node.operation->backward(node.grad, node.inputs, static_cast<size_t>(node.input_count));
    }
    std::vector<Tensor> result;
    for (const Tensor& x : xs) {
        Tensor dx = nodes_[static_cast<size_t>(x.body_->node)].grad;
        for (int32_t i = 0; i < x.body_->node;
             ++i) {  // a leaf that a nested tape used is here twice
            const Node& node = nodes_[static_cast<size_t>(i)];
            if (!node.leaf.same_as(x) || !node.grad.defined()) continue;
            const Tensor other = node.grad;
            dx = dx.defined() ? dx + other : other;
        }
        result.push_back(dx.defined() ? dx : Tensor::zeros(x.shape(), x.dtype()));
    }
    return result;
}

std::vector<Tape::Entry> Tape::entries() const {
    std::vector<Entry> entries;
    for (const Node& node : nodes_) {
        Entry& entry = entries.emplace_back(Entry{node.op, node.shape, node.dtype, {}});
        for (int32_t i = 0; i < node.input_count; ++i)
            if (node.inputs[i]) entry.inputs.push_back(node.inputs[i].node_);
    }
    return entries;
}

Gradient::Prepared Gradient::prepare() {
    Tape::Node& to = node();
    check(!tape_->way_back_of_, tape_->way_back_of_,
          "its fused kernel has no second derivative; open the tape as Tape "
          "tape(Tape::Fused::composed)");
    if (to.leaf.defined()) {
        Tensor::Body& leaf = *to.leaf.body_;
        if (!leaf.grad.defined()) leaf.grad = Tensor::empty(to.shape, to.dtype);
        return {leaf.grad, !std::exchange(leaf.has_grad, true)};
    }
    const bool first = !to.grad.defined();
    if (first)
        to.grad = Tensor::empty(to.shape, to.dtype);
    else if (!to.grad.exclusive())
        to.grad = to.grad.clone();
    return {to.grad, first};
}

void Gradient::operator+=(Tensor t) {
    if (!*this) return;
    check(t.shape() == node().shape && t.dtype() == dtype(), "gradient",
          "a contribution of {} {} to an input of {} {}", t.shape(), name(t.dtype()), node().shape,
          name(dtype()));
    if (tape_->way_back_of_) {
        const Tensor so_far = slot();
        Tensor sum = so_far.defined() ? so_far + t : t;
        slot() = std::move(sum);
        return;
    }
    if (!slot().defined() && !(to_leaf() && !t.exclusive())) {
        slot() = std::move(t);
        if (to_leaf()) node().leaf.body_->has_grad = true;
        return;
    }
    const auto [memory, first] = prepare();
    detail::accumulate(memory, t, !first);
}

Tensor Gradient::value() const { return to_leaf() ? node().leaf.grad() : node().grad; }

Tape::Arena::~Arena() {
    while (chunk_) {
        Chunk* chunk = std::exchange(chunk_, chunk_->previous);
        memory::release(chunk, chunk->bytes);
    }
}

void* Tape::Arena::allocate(size_t bytes) {
    bytes = (bytes + 15) / 16 * 16;
    if (static_cast<size_t>(end_ - next_) < bytes) [[unlikely]] {
        const size_t size = std::max(kChunk, bytes + sizeof(Chunk));
        chunk_ = new (memory::allocate(size)) Chunk{chunk_, size};
        next_ = reinterpret_cast<char*>(chunk_ + 1);
        end_ = reinterpret_cast<char*>(chunk_) + size;
    }
    return std::exchange(next_, next_ + bytes);
}

}  // namespace gradus
