import Diagnostics
import Randomness
import Torch

/// What the mixing parameters are before the first meta step.
public enum MixingStart: Codable, Equatable, Sendable {
    /// The same weights for every sample: this much for every teacher (shared among them where the
    /// rule wants weights that sum to 1) and the rest to 1 for the given label, at least 0.
    case share(Double)
    /// Weights (of the rules with λ: the λ) drawn from U[0, 1] for every sample, as the first
    /// version of the paper has it; normalised where they must sum to 1.
    case uniform

    /// In a recipe: a number from 0 to 1, or the word `uniform`.
    public init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if let share = try? value.decode(Double.self) {
            self = .share(share)
        } else if try value.decode(String.self) == "uniform" {
            self = .uniform
        } else {
            throw Problem.outOfRange(
                "method.initial-weight", found: "\"\(try value.decode(String.self))\"",
                expected: "a share from 0 to 1, or uniform")
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        switch self {
        case .share(let share): try value.encode(share)
        case .uniform: try value.encode("uniform")
        }
    }
}

/// The mixing parameters of every training sample, by its row in the training split.
///
/// Rows follow the sample's identity, never the order of batches: what is learnt about a sample
/// in one epoch must weigh that sample in the next. All of it belongs into checkpoints (`state`).
public final class MixingTable {
    public let rule: MixingRule
    /// K
    public let lossCount: Int
    /// α [N, P], float32.
    public var parameters: Tensor { mixing.all }
    /// a_i0 [N] at the first meta pass that saw the sample, float32, not-a-number before it: early
    /// in training it tells wrong labels from right ones, λ does not.
    public var firstAlignment: Tensor { first.all }
    /// a_i0 [N] at the latest meta pass.
    public var latestAlignment: Tensor { latest.all }
    private let mixing: Rows
    private let first: Rows
    private let latest: Rows

    /// - Parameters:
    ///   - rows: N, of the training split.
    ///   - losses: K, at least 2.
    public init(
        rows: Int, losses: Int, rule: MixingRule, start: MixingStart, seed: UInt64,
        device: Device = .cpu
    ) {
        self.rule = rule
        lossCount = losses
        let weights: Tensor
        switch start {
        case .share(let share):
            let each =
                rule == .convexClamp || rule == .convexSigmoid || rule == .box
                ? share : share / Double(losses - 1)
            let row = [1 - share] + [Double](repeating: each, count: losses - 1)
            weights = Tensor(row, [1, losses]).expanded([rows, losses])
        case .uniform:
            weights = Tensor(
                (0..<rows).flatMap { row in
                    // Step 1: step 0 of this purpose draws the networks' weights.
                    var draw = Draw(seed: seed, .initialisation, step: 1, sample: row)
                    return (0..<losses).map { _ in draw.uniform() }
                }, [rows, losses])
        }
        mixing = Rows(
            "mixing.parameters",
            withoutGradient { rule.parameters(for: weights).to(.float32).to(device) })
        first = Rows("mixing.first-alignment", count: rows, value: .nan, device: device)
        latest = Rows("mixing.latest-alignment", count: rows, value: .nan, device: device)
    }

    public var count: Int { mixing.count }

    /// The live tensors, for a checkpoint.
    public var state: [(name: String, tensor: Tensor)] {
        mixing.state + first.state + latest.state
    }

    /// α [B, P] of the samples at `rows` (int64).
    public func parameters(of rows: Tensor) -> Tensor { mixing.read(rows) }

    /// w [B, K] of the samples at `rows` (int64).
    public func weights(of rows: Tensor) -> Tensor { rule.weights(parameters(of: rows)) }

    /// w [N, K] of all samples.
    public func weights() -> Tensor { rule.weights(parameters) }

    /// Takes over what a meta step has learnt about the samples at `rows` (all different).
    public func update(_ rows: [Int], _ result: MetaStepResult) {
        mixing.write(Tensor(rows, [rows.count]), result.parameters)
        record(rows, result.labelAlignment)
    }

    /// Keeps alignments without changing any weight.
    public func record(_ rows: [Int], _ alignment: Tensor) {
        withoutGradient {
            let index = Tensor(rows, [rows.count])
            let known = first.read(index)
            let new = alignment.to(known.dtype)
            // Not-a-number is the only value that differs from itself.
            first.write(index, .where(known.equal(known), known, new))
            latest.write(index, new)
        }
    }
}
