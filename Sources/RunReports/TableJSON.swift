import Diagnostics
import Report
import Training

/// The JSON of `demo`, `compare` and `train`; other programs build on its shape.
package struct TableJSON: Encodable {
    struct Noise: Encodable {
        var kind: String
        var rate: Double?
        /// Null where no clean label is known.
        @OrNull var realised: Double?
    }

    struct Spread: Encodable {
        var mean: Double
        /// Sample standard deviation; null with one seed.
        @OrNull var sd: Double?
        /// One number per seed, in the order of the seeds, so that rows can be compared pair by pair.
        var values: [Double]

        init(_ values: [Double]) {
            self.values = values
            let estimate = Estimate(values: values)
            (mean, sd) = (estimate.mean, estimate.sd)
        }

        /// Nil without a value.
        init?(known values: [Double]) {
            guard !values.isEmpty else { return nil }
            self.init(values)
        }
    }

    struct Row: Encodable {
        var method: String
        var seeds: Int
        /// Null where no seed has a result.
        @OrNull var last: Spread?
        @OrNull var selected: Spread?
        /// Mean of the last five epochs of the last phase, and of the peers where there are several; null where no seed has so many.
        @OrNull var lastFive: Spread?
        /// Mean over seeds of the seconds of all phases of the row, shared ones included; null where no
        /// seed has a result.
        @OrNull var seconds: Double?
        /// Only where several noise settings are compared.
        var noise: Noise?
        /// What a search chose, per seed.
        var settings: [String]?
        /// Only where several networks learnt side by side.
        var peers: Peers?
        /// Numbers of the phases' sections, by phase and key; null where no seed knows one. Only where there
        /// are any.
        var values: [String: [String: Spread?]]?
        /// Seeds without a result.
        var failed: [Failed]?

        enum CodingKeys: String, CodingKey {
            case method, seeds, last, selected, seconds, noise, settings, peers, values, failed
            case lastFive = "last_five"
        }
    }

    /// A seed at which a row failed, or a setting of a search that did.
    struct Failed: Encodable {
        var seed: UInt64
        /// Absent without a search.
        var setting: String?
        var reason: String

        init(_ failure: Comparison.Failure) {
            (seed, reason) = (failure.seed, failure.reason)
            setting = failure.setting.isEmpty ? nil : failure.setting
        }
    }

    /// - Parameter results: of the phases of each seed.
    private static func values(_ results: [[PhaseResult]]) -> [String: [String: Spread?]]? {
        var known: [String: [String: [Double]]] = [:]
        for result in results.flatMap(\.self) {
            for value in result.sections.flatMap(\.values) {
                known[result.name, default: [:]][value.key, default: []] +=
                    [value.value].compactMap(\.self)
            }
        }
        guard !known.isEmpty else { return nil }
        return known.mapValues { $0.mapValues { $0.isEmpty ? nil : Spread($0) } }
    }

    struct Peers: Encodable {
        var meanLast: Spread
        var meanSelected: Spread
        var ensembleLast: Spread
        var ensembleSelected: Spread
        var agreement: Spread

        init?(_ scores: [PeerScores?]) {
            let scores = scores.compactMap(\.self)
            guard !scores.isEmpty else { return nil }
            meanLast = Spread(scores.map(\.meanLast))
            meanSelected = Spread(scores.map(\.meanSelected))
            ensembleLast = Spread(scores.map(\.ensembleLast))
            ensembleSelected = Spread(scores.map(\.ensembleSelected))
            agreement = Spread(scores.map(\.agreement))
        }

        enum CodingKeys: String, CodingKey {
            case meanLast = "mean_last"
            case meanSelected = "mean_selected"
            case ensembleLast = "ensemble_last"
            case ensembleSelected = "ensemble_selected"
            case agreement
        }
    }

    var data: String
    var noise: Noise
    var rows: [Row]
    var report: String
    var run: String?

    package init(_ record: ComparisonRecord, report: String) {
        data = record.facts.dataName
        let noises = record.noises.map {
            Noise(kind: $0.kind, rate: $0.rate, realised: $0.realised)
        }
        noise = noises[0]
        rows = noises.indices.flatMap { n in
            record.rows.map { name in
                let cells = record.cells(row: name, noise: n)
                let failed = record.failures.filter { $0.row == name && $0.noise == n }
                func spread(_ value: (Comparison.Cell) -> Double) -> Spread? {
                    cells.isEmpty ? nil : Spread(cells.map(value))
                }
                let seconds = cells.compactMap(\.seconds)
                return Row(
                    method: name, seeds: cells.count,
                    last: spread(\.evaluations.last.test.accuracy),
                    selected: spread(\.evaluations.selected.test.accuracy),
                    lastFive: Spread(known: cells.compactMap(\.lastFive)),
                    seconds: cells.isEmpty || seconds.count < cells.count
                        ? nil : seconds.reduce(0, +) / Double(cells.count),
                    noise: noises.count > 1 ? noises[n] : nil,
                    settings: cells.contains { !$0.setting.isEmpty } ? cells.map(\.setting) : nil,
                    peers: Peers(cells.map(PeerScores.init)),
                    values: TableJSON.values(cells.map(\.results)),
                    failed: failed.isEmpty ? nil : failed.map(Failed.init))
            }
        }
        self.report = report
    }

    package init(run: Run, result: RunResult, report: String) {
        data = run.data.learning.name
        noise = Noise(
            kind: result.noise.noise.kind.rawValue, rate: result.noise.noise.rate,
            realised: result.noise.realisedRate)
        rows = [
            Row(
                method: run.recipe.name, seeds: 1,
                last: Spread([result.evaluations.last.test.accuracy]),
                selected: Spread([result.evaluations.selected.test.accuracy]),
                lastFive: Spread(
                    known: [
                        run.store.metrics(run.chain[result.scores.phases.accepted])
                            .lastFive(ema: result.scores.useEMA)
                    ].compactMap(\.self)),
                seconds: result.seconds,
                peers: Peers([
                    PeerScores(result.scores.phases.last, useEMA: result.scores.useEMA)
                ]), values: TableJSON.values([result.scores.phases]))
        ]
        self.report = report
        self.run = run.folder
    }
}
