import Diagnostics

// A row, seed or setting that fails for its data or its numbers is named, and the others are trained.

extension Comparison {
    /// A setting of a row that could not be trained at one noise and seed.
    public struct Failure: Codable, Equatable, Sendable {
        public var row: String
        public var noise: Int
        public var seed: UInt64
        /// Empty without a search, and where every setting of one failed.
        public var setting: String
        /// What went wrong and where: phase, epoch, step.
        public var reason: String
        /// Whether the cell has no result. False for a setting of a search that had others.
        public var isCell: Bool
    }

    /// Why a chain has no result; nil if it has.
    func failure(of chain: [PhaseSpec], _ failed: [String: Problem]) -> Problem? {
        chain.lazy.compactMap { failed[$0.key] }.first
    }

    func describe(
        _ plan: Plan, _ choice: Candidate?, _ failed: [String: Problem]
    ) -> [Failure] {
        func failure(_ setting: String, _ problem: Problem, isCell: Bool) -> Failure {
            // Where to look and what was found; what to do is said once, for all of them.
            var problem = problem
            problem.hint = nil
            return Failure(
                row: plan.row.name, noise: plan.noise, seed: plan.seed, setting: setting,
                reason: problem.description, isCell: isCell)
        }
        var found: [Failure] = []
        if plan.candidates.count > 1 {
            for candidate in plan.candidates {
                guard let problem = self.failure(of: plan.searched(candidate), failed) else {
                    continue
                }
                found.append(failure(candidate.setting, problem, isCell: false))
            }
        }
        if let choice {
            if let problem = self.failure(of: choice.chain, failed) {
                found.append(failure(choice.setting, problem, isCell: true))
            }
        } else if let first = plan.candidates.first,
            let problem = self.failure(of: plan.searched(first), failed)
        {
            found.append(failure("", problem, isCell: true))
        }
        return found
    }
}
