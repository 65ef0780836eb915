import Torch

/// Labels by the votes of the nearest samples of a bank, by cosine: what a representation knows without
/// training anything on it.
///
/// Of equal cosines the engine chooses. A call holds about 64 MiB of cosines at a time, never all of them.
public struct NearestNeighbours {
    /// How much the vote of a neighbour counts.
    public enum Vote: Equatable, Sendable {
        /// exp((cos − 1)/τ). τ = .07 in Wu, Xiong, Yu, Lin, "Unsupervised Feature Learning via Non-Parametric
        /// Instance Discrimination", 2018, arXiv 1805.01978.
        case exponential(temperature: Double)
        /// max(cos, 0)
        case cosine
    }

    /// [M, D], rows of length 1.
    private let bank: Tensor
    private let labels: Tensor
    private let classes: Int
    /// k
    private let count: Int
    private let vote: Vote

    /// - Parameters:
    ///   - features: [M, D], M ≥ 1.
    ///   - labels: of the rows.
    ///   - count: k; all of the bank if it is smaller.
    public init(
        _ features: Tensor, labels: [Int], classes: Int, count: Int,
        vote: Vote = .exponential(temperature: 0.07)
    ) {
        bank = withoutGradient { features.detached().normalisedRows() }
        self.labels = Tensor(labels, [labels.count]).to(features.device)
        self.classes = classes
        self.count = min(count, labels.count)
        self.vote = vote
    }

    /// log of each class's share of the votes [n, C], at least log 1e-12, for queries [n, D].
    public func logProbabilities(_ queries: Tensor) -> Tensor {
        withoutGradient {
            let rows = queries.normalisedRows()
            return .concatenated(
                chunks(of: rows.shape[0]).map { chunk in
                    let part = rows.narrowed(0, from: chunk.lowerBound, count: chunk.count)
                    let near = part.matmul(bank.transposed()).topK(count)
                    return shares(near.indices, votes(near.values)).clamped(1e-12, 1).log()
                })
        }
    }

    /// The neighbours of each row of the bank among its other rows, the nearest first, int64 [M, k], and how
    /// much their votes count, of the features' dtype [M, k]; k is at most M − 1.
    ///
    /// - Precondition: M ≥ 2.
    public func amongThemselves() -> (neighbours: Tensor, votes: Tensor) {
        let m = bank.shape[0]
        precondition(m > 1, "a sample has no neighbour but itself")
        return withoutGradient {
            let parts: [(Tensor, Tensor)] = chunks(of: m).map { chunk in
                let part = bank.narrowed(0, from: chunk.lowerBound, count: chunk.count)
                let own = Tensor(Array(chunk), [chunk.count, 1]).to(bank.device)
                // Below every cosine. A sample may have copies, so that it cannot be told by its cosine.
                let away = Tensor.full(
                    [chunk.count, 1], -4, dtype: bank.dtype, device: bank.device)
                let near = part.matmul(bank.transposed()).scatterAdding(1, own, away)
                    .topK(min(count, m - 1))
                return (near.indices, votes(near.values))
            }
            return (.concatenated(parts.map(\.0)), .concatenated(parts.map(\.1)))
        }
    }

    /// Each class's share of the votes [n, C], without gradient; zeros where no vote counts.
    ///
    /// - Parameters:
    ///   - neighbours: rows of the bank [n, k], int64.
    ///   - votes: [n, k].
    public func shares(_ neighbours: Tensor, _ votes: Tensor) -> Tensor {
        withoutGradient {
            let voters = labels.indexed(0, by: neighbours.reshaped([-1]))
                .reshaped(neighbours.shape)
            let sums = Tensor.zeros(
                [votes.shape[0], classes], dtype: votes.dtype, device: votes.device
            ).scatterAdding(1, voters, votes)
            return sums / sums.sum(-1, keep: true).clamped(1e-30, nil)
        }
    }

    private func votes(_ cosines: Tensor) -> Tensor {
        switch vote {
        case .exponential(let temperature): ((cosines - 1) / temperature).exp()
        case .cosine: cosines.clamped(0, nil)
        }
    }

    /// So many rows that their cosines with the bank take about 64 MiB.
    private func chunks(of n: Int) -> [Range<Int>] {
        let size = max(1, min(n, (16 << 20) / max(1, bank.shape[0])))
        return stride(from: 0, to: n, by: size).map { $0..<min($0 + size, n) }
    }
}
