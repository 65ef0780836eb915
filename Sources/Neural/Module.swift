import Torch

/// How a network runs. It is an argument of every call, never a flag inside the network, so that
/// an evaluation cannot leave a student in the wrong mode.
public enum Mode {
    /// Batch statistics, running statistics updated, dropout on: `generator` feeds the dropout.
    case train(Generator)
    /// Running statistics, no dropout, nothing changed.
    case eval
    /// As `eval`, and every batch norm tells `probe` the statistics of its input.
    case probe(BatchProbe)

    public var isTraining: Bool {
        if case .train = self { return true }
        return false
    }
}

/// A trainable leaf tensor. The engine changes its data in place, so it is never re-assigned.
public struct Parameter {
    public let tensor: Tensor

    /// Takes over `tensor` and makes it ask for gradients.
    public init(_ tensor: Tensor) {
        tensor.requiresGrad = true
        self.tensor = tensor
    }
}

/// State that belongs to a module and is saved with it, but is not trained: running statistics.
public struct Buffer {
    public let tensor: Tensor

    public init(_ tensor: Tensor) { self.tensor = tensor }
}

/// A piece of a network: a final class whose `let` properties are parameters, buffers and further
/// modules.
///
/// Names come from a walk over the stored properties in declaration order and are those of
/// PyTorch's `state_dict`: property names from camelCase to snake_case (`runningMean` becomes
/// `running_mean`), arrays by index, joined with full stops (`layer1.0.conv1.weight`).
///
/// The walk sees `Parameter`, `Buffer`, modules, optionals of these, and arrays of modules. A bare
/// `Tensor` property traps, because it would be neither saved nor trained.
public protocol Module: AnyObject {
    func callAsFunction(_ x: Tensor, mode: Mode) -> Tensor

    /// Properties whose key is not their name in snake_case; the empty key adds no level.
    var keys: [String: String] { get }

    /// Own layers whose output goes to a batch norm and nowhere else (see `Frozen`).
    var foldablePairs: [FoldablePair] { get }
}

extension Module {
    public var keys: [String: String] { [:] }
    public var foldablePairs: [FoldablePair] { [] }

    /// Every trainable tensor, in declaration order.
    public var parameters: [(name: String, tensor: Tensor)] {
        walk().compactMap { if case .parameter(let t) = $0.member { ($0.name, t) } else { nil } }
    }

    /// Every buffer, in declaration order.
    public var buffers: [(name: String, tensor: Tensor)] {
        walk().compactMap { if case .buffer(let t) = $0.member { ($0.name, t) } else { nil } }
    }

    /// Parameters and buffers in the order of PyTorch's `state_dict`.
    public var state: [(name: String, tensor: Tensor)] {
        walk().compactMap {
            switch $0.member {
            case .parameter(let t), .buffer(let t): ($0.name, t)
            case .module: nil
            }
        }
    }

    /// This module (under the empty name) and all modules inside it, outer before inner.
    public var modules: [(name: String, module: any Module)] {
        [("", self)]
            + walk().compactMap { if case .module(let m) = $0.member { ($0.name, m) } else { nil } }
    }

    /// The number of trainable scalars.
    public var parameterCount: Int { parameters.reduce(0) { $0 + $1.tensor.count } }

    /// Drops the gradients of all parameters.
    public func clearGradients() { for (_, tensor) in parameters { tensor.clearGradient() } }

    /// Everything inside, in declaration order. It reflects on each call (about a microsecond per
    /// property): callers in a training step keep the result.
    func walk() -> [(name: String, member: Member)] {
        var found: [(name: String, member: Member)] = []
        walk(prefix: "", into: &found)
        return found
    }

    private func walk(prefix: String, into found: inout [(name: String, member: Member)]) {
        let keys = keys
        for (label, value) in Mirror(reflecting: self).children {
            guard let label else { continue }
            let name = joined(prefix, keys[label] ?? snakeCase(label))
            switch value {
            case let parameter as Parameter: found.append((name, .parameter(parameter.tensor)))
            case let buffer as Buffer: found.append((name, .buffer(buffer.tensor)))
            case let module as any Module:
                found.append((name, .module(module)))
                module.walk(prefix: name, into: &found)
            case let modules as [any Module]:
                for (i, module) in modules.enumerated() {
                    let name = joined(name, String(i))
                    found.append((name, .module(module)))
                    module.walk(prefix: name, into: &found)
                }
            case is Tensor:
                preconditionFailure(
                    "\(type(of: self)).\(label) is a bare Tensor: wrap it in Parameter or Buffer")
            default: continue
            }
        }
    }
}

enum Member {
    case parameter(Tensor)
    case buffer(Tensor)
    case module(any Module)
}

private func joined(_ prefix: String, _ key: String) -> String {
    prefix.isEmpty ? key : key.isEmpty ? prefix : prefix + "." + key
}

/// `numBatchesTracked` to `num_batches_tracked`.
func snakeCase(_ name: String) -> String {
    var out = ""
    for character in name {
        if character.isUppercase { out += "_" }
        out += character.lowercased()
    }
    return out
}
