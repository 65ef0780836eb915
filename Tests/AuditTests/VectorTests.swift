import Foundation
import Testing

@testable import Audit

/// Equal to cleanlab in every count, index, filter and score.
@Suite struct VectorTests {
    @Test(arguments: Vectors.all) func joint(known: Vectors.Case) throws {
        let found = try known.learning()
        #expect(difference(found.joint.thresholds, known.thresholds) < 1e-12)
        #expect(found.joint.counts == known.raw)
        #expect(found.disagreeing == known.disagreeing)
        if known.isRoundedAsHere { #expect(found.joint.calibratedCounts == known.calibrated) }
        #expect(found.numberOfIssues() == known.numbers["off_diagonal"])
        #expect(found.numberOfIssues(.calibrated) == known.numbers["off_diagonal_calibrated"])
        #expect(abs(found.health - known.health) < tolerance)
    }

    /// With equal remainders in rows of more than 16 classes, the package's order is arbitrary: 10 cells of 5
    /// rows differ, row sums do not.
    @Test func theOneTie() throws {
        let known = try #require(Vectors.all.first { $0.name == "hundred-classes-600" })
        let counts = try known.learning().joint.calibratedCounts
        let rows = (0..<100).filter { counts[$0] != known.calibrated[$0] }
        let cells = rows.map { a in (0..<100).count { counts[a][$0] != known.calibrated[a][$0] } }
        #expect(rows.count == 5 && cells.reduce(0, +) == 10)
        for a in 0..<100 {
            #expect(counts[a].reduce(0, +) == known.calibrated[a].reduce(0, +))
        }
        // What comes of it: 90 issues in common, and one more of ours.
        let theirs = try #require(known.issues["prune_by_noise_rate"])
        let ours = try known.learning().issues()
        #expect(Set(ours).intersection(theirs).count == 90)
        #expect(ours.count == 91 && theirs.count == 90)
    }

    /// With the package's own calibrated counts where its rounding is arbitrary.
    private func options(_ known: Vectors.Case) -> PruneOptions {
        PruneOptions(counts: known.isRoundedAsHere ? nil : known.calibrated)
    }

    @Test(arguments: Vectors.all) func filters(known: Vectors.Case) throws {
        let found = try known.learning()
        #expect(known.issues.count == LabelFilter.allCases.count)
        var options = options(known)
        for filter in LabelFilter.allCases {
            let name = filter.rawValue.replacing("-", with: "_")
            #expect(found.issues(filter, options) == known.issues[name], "\(filter)")
        }
        for filter in [LabelFilter.pruneByNoiseRate, .pruneByClass] {
            let name = filter.rawValue.replacing("-", with: "_")
            options.noiseShare = 0.5
            #expect(found.issues(filter, options) == known.issuesOfHalf[name], "\(filter)")
            options.noiseShare = 1
            options.leastPerClass = 3
            #expect(found.issues(filter, options) == known.issuesOfThree[name], "\(filter)")
            options.leastPerClass = 1
        }
    }

    @Test(arguments: Vectors.all) func scores(known: Vectors.Case) throws {
        let found = try known.learning()
        for (name, scores) in known.scores {
            let score = try #require(LabelScore(rawValue: name.replacing("_", with: "-")))
            #expect(difference(found.scores(score), scores) < tolerance, "\(name)")
        }
        #expect(known.scores.count == 3 && known.adjustedScores.count == 2)
        for (name, scores) in known.adjustedScores {
            let score = try #require(
                LabelScore(rawValue: "adjusted-" + name.replacing("_", with: "-")))
            #expect(difference(found.scores(score), scores) < tolerance, "\(name)")
        }
        for (row, adjusted) in known.adjusted.enumerated() {
            #expect(difference(found.adjusted(row), adjusted) < tolerance)
        }
        #expect(difference(found.distributionScores(), known.distribution) < tolerance)
    }

    @Test(arguments: Vectors.all) func ranking(known: Vectors.Case) throws {
        let found = try known.learning()
        let issues = found.issues(.pruneByNoiseRate, options(known))
        for (name, rows) in known.ranked {
            let score = try #require(LabelScore(rawValue: name.replacing("_", with: "-")))
            let ranked = found.ranked(issues, by: score)
            // Rows with equal scores may change places.
            let scores = found.scores(score)
            #expect(difference(ranked.map { scores[$0] }, rows.map { scores[$0] }) == 0, "\(name)")
            #expect(Set(ranked) == Set(rows))
        }
    }

    @Test(arguments: Vectors.all) func latent(known: Vectors.Case) throws {
        let names: [(LatentEstimate.Method, String)] = [
            (.counts, "cnt"), (.equations, "eqn"), (.marginal, "marginal"),
            (.marginalOfGiven, "marginal_ps"),
        ]
        for (method, name) in names {
            let found = LatentEstimate(counts: known.calibrated, method: method)
            guard let prior = known.latent[name] ?? nil else {
                #expect(found == nil, "the equations are singular")
                continue
            }
            let latent = try #require(found)
            #expect(difference(latent.prior, prior) < tolerance, "\(name)")
            #expect(difference(latent.noiseMatrix, known.noiseMatrix) < tolerance)
            #expect(difference(latent.inverseNoiseMatrix, known.inverseNoiseMatrix) < tolerance)
        }
        let latent = try #require(LatentEstimate(counts: known.calibrated, converged: true))
        #expect(difference(latent.prior, known.converged.prior) < tolerance)
        #expect(difference(latent.noiseMatrix, known.converged.noise) < tolerance)
        #expect(difference(latent.inverseNoiseMatrix, known.converged.inverse) < tolerance)
    }

    @Test(arguments: Vectors.all.filter(\.isRoundedAsHere))
    func classes(known: Vectors.Case) throws {
        let found = try known.learning()
        let report = found.classReport()
        let theirs = known.classReport
        #expect(report.map(\.index) == theirs.index)
        #expect(report.map(\.wronglyGiven) == theirs.wronglyGiven)
        #expect(report.map(\.missed) == theirs.missed)
        #expect(difference(report.map(\.givenNoise), theirs.givenNoise) < tolerance)
        #expect(difference(report.map(\.trueNoise), theirs.trueNoise) < tolerance)
        #expect(difference(report.map(\.labelQuality), theirs.quality) < tolerance)
        let overlaps = found.overlaps().prefix(5)
        #expect(
            overlaps.map(\.classes)
                == zip(known.overlaps.first, known.overlaps.second).map { [$0, $1] })
        #expect(overlaps.map(\.samples) == known.overlaps.samples)
        #expect(difference(overlaps.map(\.joint), known.overlaps.joint) < tolerance)
    }

    @Test func otherScoresOfDistribution() throws {
        struct File: Decodable { var cases: [[String: Values]] }
        enum Values: Decodable {
            case number(Int)
            case list([Double])
            case rows([[Double]])

            init(from decoder: any Decoder) throws {
                let value = try decoder.singleValueContainer()
                if let number = try? value.decode(Int.self) {
                    self = .number(number)
                } else if let list = try? value.decode([Double].self) {
                    self = .list(list)
                } else {
                    self = .rows(try value.decode([[Double]].self))
                }
            }
        }
        let file: File = Vectors.read("cleanlab-scores")
        #expect(file.cases.count == 2)
        for known in file.cases {
            guard case .rows(let rows)? = known["pred_probs"],
                case .list(let labels)? = known["labels"]
            else { throw CancellationError() }
            let found = try ConfidentLearning(
                ProbabilityTable(rows.flatMap(\.self), classes: rows[0].count),
                labels: labels.map { Int($0) })
            for score in DistributionScore.allCases {
                guard case .list(let theirs)? = known[score.rawValue] else {
                    throw CancellationError()
                }
                #expect(
                    difference(found.distributionScores(score), theirs) < tolerance,
                    "\(score) of \(rows[0].count) classes")
            }
        }
    }

    /// Thresholds (.9 + .6 + .2)/3 and (.8 + .9)/2. The third sample is confidently of class 1 (.8 < .85 is
    /// not), so it is counted nowhere.
    @Test func byHand() throws {
        let table = ProbabilityTable(
            [0.9, 0.1, 0.6, 0.4, 0.2, 0.8, 0.2, 0.8, 0.1, 0.9], classes: 2)
        let found = try ConfidentLearning(table, labels: [0, 0, 0, 1, 1])
        #expect((0..<5).map { found.confidentClass(for: $0) } == [0, 0, nil, nil, 1])
        #expect((0..<5).map { found.prediction(for: $0) } == [0, 0, 1, 1, 1])
        #expect((0..<5).map { found.suggestion(for: $0) } == [1, 1, 1, 0, 0])
        #expect(found.disagreeing == [])
        #expect(found.issues(.predictedNotGiven) == [2])
    }
}
