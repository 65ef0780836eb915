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
        var sd: Double?

        init(_ values: [Double]) {
            let estimate = Estimate(values: values)
            (mean, sd) = (estimate.mean, estimate.sd)
        }

        enum CodingKeys: String, CodingKey { case mean, sd }
        func encode(to encoder: any Encoder) throws {
            var values = encoder.container(keyedBy: CodingKeys.self)
            try values.encode(mean, forKey: .mean)
            try values.encode(sd, forKey: .sd)
        }
    }

    struct Row: Encodable {
        var method: String
        var seeds: Int
        /// Null where no seed has a result.
        var last: Spread?
        var selected: Spread?
        /// Mean over seeds of the seconds of all phases of the row, shared ones included; null where no
        /// seed has a result.
        var seconds: Double?
        /// Only where several noise settings are compared.
        var noise: Noise?
        /// What a search chose, per seed.
        var settings: [String]?
        /// Only where several networks learnt side by side.
        var peers: Peers?
        /// Only where weights per sample were learnt.
        var mixing: Mixing?
        /// Seeds without a result.
        var failed: [Failed]?

        enum CodingKeys: String, CodingKey {
            case method, seeds, last, selected, seconds, noise, settings, peers, mixing, failed
        }

        func encode(to encoder: any Encoder) throws {
            var values = encoder.container(keyedBy: CodingKeys.self)
            try values.encode(method, forKey: .method)
            try values.encode(seeds, forKey: .seeds)
            try values.encode(last, forKey: .last)
            try values.encode(selected, forKey: .selected)
            try values.encode(seconds, forKey: .seconds)
            try values.encodeIfPresent(noise, forKey: .noise)
            try values.encodeIfPresent(settings, forKey: .settings)
            try values.encodeIfPresent(peers, forKey: .peers)
            try values.encodeIfPresent(mixing, forKey: .mixing)
            try values.encodeIfPresent(failed, forKey: .failed)
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

    struct Mixing: Encodable {
        struct Teacher: Encodable {
            var name: String
            var weight: Spread
            /// How well a low weight tells samples where this teacher is wrong; absent where what
            /// is right is not known.
            var wrongAUC: Spread?

            enum CodingKeys: String, CodingKey {
                case name, weight
                case wrongAUC = "wrong_auc"
            }
        }

        var teachers: [Teacher]
        /// How well the early label alignment tells wrong labels; absent without clean ones.
        var alignmentAUC: Spread?

        enum CodingKeys: String, CodingKey {
            case teachers
            case alignmentAUC = "alignment_auc"
        }

        init?(_ results: [PhaseResult?]) {
            let scores = results.compactMap(MixingScores.init)
            guard scores.count == results.count, let first = scores.first else { return nil }
            func spread(_ values: [Double?]) -> Spread? {
                let known = values.compactMap(\.self)
                return known.isEmpty ? nil : Spread(known)
            }
            teachers = first.names.enumerated().map { m, name in
                Teacher(
                    name: name, weight: Spread(scores.map { $0.weights[m] }),
                    wrongAUC: spread(scores.map { $0.wrongAUC[m] }))
            }
            alignmentAUC = spread(scores.map(\.alignmentAUC))
        }
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
                    last: spread(\.readout.last.test.accuracy),
                    selected: spread(\.readout.selected.test.accuracy),
                    seconds: cells.isEmpty || seconds.count < cells.count
                        ? nil : seconds.reduce(0, +) / Double(cells.count),
                    noise: noises.count > 1 ? noises[n] : nil,
                    settings: cells.contains { !$0.setting.isEmpty } ? cells.map(\.setting) : nil,
                    peers: Peers(cells.map(PeerScores.init)),
                    mixing: Mixing(cells.map(\.results.last)),
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
                last: Spread([result.readout.last.test.accuracy]),
                selected: Spread([result.readout.selected.test.accuracy]), seconds: result.seconds,
                peers: Peers([
                    PeerScores(result.scores.phases.last, useAverage: result.scores.useAverage)
                ]), mixing: Mixing([result.scores.phases.last]))
        ]
        self.report = report
        self.run = run.folder
    }
}
