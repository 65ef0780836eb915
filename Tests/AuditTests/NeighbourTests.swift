import Diagnostics
import Randomness
import Testing

@testable import Audit

@Suite struct NeighbourTests {
    struct Case: Decodable, CustomTestStringConvertible {
        struct Scores: Decodable {
            var issues: [Int]
            var scores: [Double]
        }

        var name: String
        var features: [[Double]]
        var labels: [Int]
        var outlier: Scores
        var nearDuplicate: Scores
        var classImbalance: Scores
        var dataValuation: Scores
        var nearDuplicateSets: [[Int]]
        var knnIndices: [[Int]]
        var knnDistances: [[Double]]

        var testDescription: String { name }

        func graph() throws(Problem) -> NeighbourGraph {
            try NeighbourGraph(features: features.flatMap(\.self), columns: features[0].count)
        }
    }

    static let cases: [Case] = {
        struct File: Decodable { var cases: [Case] }
        let file: File = Vectors.read("cleanlab-features", keys: .convertFromSnakeCase)
        return file.cases
    }()

    /// Distances, and neighbours but for the order of those that are as far away: copies of one sample.
    @Test(arguments: cases) func graph(known: Case) throws {
        let found = try known.graph()
        #expect(found.metric == (known.name == "cosine-6d" ? .cosine : .euclidean) && found.k == 10)
        for (i, (indices, distances)) in zip(known.knnIndices, known.knnDistances).enumerated() {
            let own = found.distances(of: i)
            #expect(difference(Array(own), distances) < tolerance)
            let nearer = distances.indices.filter { distances[$0] < distances[9] - 1e-9 }
            #expect(
                Set(nearer.map { found.indices[10 * i + $0] }) == Set(nearer.map { indices[$0] }))
            for (place, other) in indices.enumerated() where other != found.indices[10 * i + place]
            {
                let copy = found.indices[10 * i + place]
                #expect(known.features[other] == known.features[copy], "\(i): \(other) and \(copy)")
            }
        }
    }

    @Test(arguments: cases) func issues(known: Case) throws {
        let found = try known.graph()
        let outliers = found.outliers()
        #expect(outliers.issues == known.outlier.issues)
        #expect(difference(outliers.scores, known.outlier.scores) < tolerance)
        let duplicates = found.nearDuplicates()
        #expect(duplicates.sets == known.nearDuplicateSets)
        #expect(duplicates.issues == known.nearDuplicate.issues)
        #expect(difference(duplicates.scores, known.nearDuplicate.scores) < tolerance)
    }

    /// Of the very same graph: which of several copies is a neighbour decides whom the worth goes to.
    @Test(arguments: cases) func valuation(known: Case) throws {
        let graph = NeighbourGraph(
            metric: .cosine, k: 10, indices: known.knnIndices.flatMap(\.self),
            distances: known.knnDistances.flatMap(\.self))
        let worth = graph.valuation(known.labels)
        #expect(difference(worth, known.dataValuation.scores) < tolerance)
        #expect(worth.indices.filter { worth[$0] < 0.5 } == known.dataValuation.issues)
    }

    @Test(arguments: cases) func imbalance(known: Case) {
        let found = ClassImbalance(known.labels, classes: 2)
        #expect(difference(found.scores(known.labels), known.classImbalance.scores) < tolerance)
        #expect(!found.isIssue)
        let rare = ClassImbalance([1] + [Int](repeating: 0, count: 20), classes: 2)
        #expect(rare.isIssue && rare.rarest == 1 && rare.shares == [20.0 / 21, 1.0 / 21])
    }

    /// On a line: 0, 0, 1, 10. The copies are each other's nearest, at distance 0.
    @Test func byHand() throws {
        let graph = try NeighbourGraph(features: [0, 0, 1, 10], columns: 1, k: 2)
        #expect(
            (0..<4).map { Array(graph.neighbours(of: $0)) } == [[1, 2], [0, 2], [0, 1], [2, 0]])
        #expect(Array(graph.distances(of: 3)) == [9, 10])
        #expect(graph.labelAgreement([0, 1, 0, 0]) == [0.5, 0, 0.5, 1])
        let duplicates = graph.nearDuplicates()
        #expect(duplicates.sets == [[1], [0], [], []])
        #expect(duplicates.conflicting([0, 1, 0, 0]) == [0, 1])
        #expect(duplicates.conflicting([1, 1, 0, 0]) == [])
    }

    @Test func equalsPlainLoops() throws {
        var draw = Draw(seed: 3, .tests)
        for columns in [1, 3, 4, 7, 9] {
            let rows = (0..<130).map { _ in
                (0..<columns).map { _ in (draw.normal() * 4).rounded() / 4 + 0.01 }
            }
            let one = try NeighbourGraph(
                features: rows.flatMap(\.self), columns: columns, k: 5, workers: 1)
            #expect(
                try one
                    == NeighbourGraph(
                        features: rows.flatMap(\.self), columns: columns, k: 5, workers: 3))
            for i in rows.indices {
                let distances = rows.indices.filter { $0 != i }.map { j in
                    rows[i] == rows[j] ? 0 : distance(rows[i], rows[j])
                }
                #expect(
                    difference(Array(one.distances(of: i)), Array(distances.sorted().prefix(5)))
                        < 1e-9)
            }
        }
    }

    private func distance(_ a: [Double], _ b: [Double]) -> Double {
        func dot(_ a: [Double], _ b: [Double]) -> Double {
            zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
        }
        if a.count > 3 { return 1 - dot(a, b) / (dot(a, a) * dot(b, b)).squareRoot() }
        let gaps = zip(a, b).map { $0 - $1 }
        return dot(gaps, gaps).squareRoot()
    }

    @Test func refusesWhatHasNoNeighbours() {
        func said(_ features: [Double]) -> String {
            do throws(Problem) {
                _ = try NeighbourGraph(features: features, columns: 2)
                return "nothing thrown"
            } catch { return error.description }
        }
        #expect(said([1, 2]) == "too few samples for neighbours: found 1, expected at least 2")
        #expect(said([1, 2, 3, .nan]) == "row 1, column 1: feature is not a finite number")
        #expect(said([1, 2, 3, 4]) == "nothing thrown")
    }
}
