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
                "method.start", found: "\"\(try value.decode(String.self))\"",
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
    public let parameters: Tensor
    /// a_i0 [N] at the first meta pass that saw the sample, float32, not-a-number before it: early
    /// in training it tells wrong labels from right ones, λ does not.
    public let firstAlignment: Tensor
    /// a_i0 [N] at the latest meta pass.
    public let latestAlignment: Tensor

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
        parameters = withoutGradient {
            rule.parameters(for: weights).to(.float32).to(device).contiguous().cloned()
        }
        firstAlignment = .full([rows], .nan, device: device)
        latestAlignment = .full([rows], .nan, device: device)
    }

    public var count: Int { parameters.shape[0] }

    /// The live tensors, for a checkpoint.
    public var state: [(name: String, tensor: Tensor)] {
        [
            ("mixing.parameters", parameters), ("mixing.first-alignment", firstAlignment),
            ("mixing.latest-alignment", latestAlignment),
        ]
    }

    /// α [B, P] of the samples at `rows` (int64).
    public func parameters(of rows: Tensor) -> Tensor { parameters.indexed(0, by: rows) }

    /// w [B, K] of the samples at `rows` (int64).
    public func weights(of rows: Tensor) -> Tensor { rule.weights(parameters(of: rows)) }

    /// w [N, K] of all samples.
    public func weights() -> Tensor { rule.weights(parameters) }

    /// Takes over what a meta step has learnt about the samples at `rows` (all different).
    public func update(_ rows: [Int], _ result: MetaStepResult) {
        withoutGradient {
            Self.replace(parameters, at: index(rows), by: result.parameters)
        }
        record(rows, result.labelAlignment)
    }

    /// Keeps alignments without changing any weight.
    public func record(_ rows: [Int], _ alignment: Tensor) {
        withoutGradient {
            let index = index(rows)
            let known = firstAlignment.indexed(0, by: index)
            let latest = alignment.to(known.dtype)
            // Not-a-number is the only value that differs from itself.
            Self.replace(firstAlignment, at: index, by: .where(known.equal(known), known, latest))
            Self.replace(latestAlignment, at: index, by: latest)
        }
    }

    private func index(_ rows: [Int]) -> Tensor { Tensor(rows, [rows.count]).to(parameters.device) }

    /// Sets rows of `table` [N] or [N, P] in place, all at once: a copy per row costs more than the
    /// meta step. Sums over zeros, so that every value arrives to the last bit.
    private static func replace(_ table: Tensor, at index: Tensor, by values: Tensor) {
        let place = values.shape.count == 2 ? index.unsqueezed(1).expanded(values.shape) : index
        func spread(_ source: Tensor) -> Tensor {
            Tensor.full(table.shape, 0, dtype: table.dtype, device: table.device)
                .scatterAdding(0, place, source)
        }
        let ones = Tensor.full(values.shape, 1, dtype: table.dtype, device: table.device)
        table.copy(
            from: .where(spread(ones).equal(1), spread(values.to(table.dtype)), table))
    }
}
