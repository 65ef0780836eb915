import Diagnostics
import Testing

@testable import Audit

@Suite struct AnnotatorTests {
    struct Case: Decodable, CustomTestStringConvertible {
        var name: String
        var classes: Int
        var labels: [[Int?]]
        var predProbs: [[Double]]
        var majority: [Int]
        var majorityWithModel: [Int]
        var crowdlab: Answer
        var agreement: Answer

        var testDescription: String { name }

        var table: ProbabilityTable {
            ProbabilityTable(predProbs.flatMap(\.self), classes: classes)
        }
    }

    struct Answer: Decodable {
        var consensus: [Int]
        var quality: [Double]
        var agreement: [Double]
        var annotators: [Double]
        var modelWeight: Double?
        var annotatorWeights: [Double]?
    }

    static let cases: [Case] = {
        struct File: Decodable { var cases: [Case] }
        let file: File = Vectors.read("cleanlab-annotators", keys: .convertFromSnakeCase)
        return file.cases
    }()

    @Test(arguments: cases) func equalsThePackage(known: Case) throws {
        let annotations = try Annotations(known.labels, classes: known.classes)
        #expect(annotations.majority() == known.majority)
        #expect(annotations.majority(known.table) == known.majorityWithModel)
        let found = try Consensus(annotations, known.table)
        #expect(found.labels == known.crowdlab.consensus)
        #expect(difference(found.quality, known.crowdlab.quality) < tolerance)
        #expect(difference(found.agreement, known.crowdlab.agreement) < tolerance)
        #expect(
            difference(found.annotatorQuality.compactMap(\.self), known.crowdlab.annotators)
                < tolerance)
        #expect(
            difference(found.annotatorWeights, known.crowdlab.annotatorWeights ?? []) < tolerance)
        let weight = try #require(found.modelWeight)
        #expect(abs(weight - known.crowdlab.modelWeight!) < tolerance)
        for row in found.posterior { #expect(abs(row.reduce(0, +) - 1) < 1e-9) }
        let alone = Consensus(annotations)
        #expect(alone.labels == known.agreement.consensus)
        #expect(difference(alone.quality, known.agreement.quality) < tolerance)
        #expect(
            difference(alone.annotatorQuality.compactMap(\.self), known.agreement.annotators)
                < tolerance)
        #expect(alone.modelWeight == nil && alone.annotatorWeights == [])
    }

    /// Two against one; one against one goes to the network, without it to the rarer class.
    @Test func majorityByHand() throws {
        let annotations = try Annotations([[0, 0, 1], [0, 1, nil], [0, nil, nil]], classes: 2)
        #expect(annotations.majority() == [0, 1, 0])
        let table = ProbabilityTable([0.5, 0.5, 0.9, 0.1, 0.5, 0.5], classes: 2)
        #expect(annotations.majority(table) == [0, 0, 0])
        #expect(Consensus(annotations).agreement == [2.0 / 3, 0.5, 1])
        #expect(Consensus(annotations).posterior == [[2.0 / 3, 1.0 / 3], [0.5, 0.5], [1, 0]])
    }

    /// An annotator who shares no sample with others has no quality.
    @Test func unknownAnnotator() throws {
        let annotations = try Annotations([[0, 0, nil], [1, 1, nil], [nil, nil, 1]], classes: 2)
        #expect(Consensus(annotations).annotatorQuality == [1, 1, nil])
    }

    @Test func refusesWhatCannotBeCompared() {
        func said(_ labels: [[Int?]]) -> String {
            do throws(Problem) {
                _ = try Annotations(labels, classes: 2)
                return "nothing thrown"
            } catch { return error.description }
        }
        #expect(
            said([])
                == "no annotations: found no sample or no annotator, expected a row for each sample, a column "
                + "for each annotator")
        #expect(
            said([[0, 1], [0]])
                == "row 1: annotations of a sample have the wrong number: found 1, expected 2, as in the first "
                + "row")
        #expect(said([[0, 1], [nil, nil]]) == "row 1: sample has no annotation (leave it out)")
        #expect(said([[0, 2]]) == "row 0: label is no class: found 2, expected 0 to 1")
        #expect(
            said([[0, nil], [nil, 1]])
                == "annotators cannot be compared: found one label for each sample, expected samples with "
                + "several (with one label for each sample audit the labels themselves)")
    }
}
