import Datasets
import Files
import Foundation
import Testing

@testable import Audit

@Suite struct OutputTests {
    private let matrix = [[0.9, 0.1, 0], [0, 0.8, 0.2], [0.15, 0.15, 0.7]]

    @Test func injectionChangesTheShareThatIsWanted() {
        let labels = (0..<6000).map { $0 % 3 }
        let injection = LabelInjection(
            labels, among: Array(0..<5400), transition: matrix, share: 0.1, seed: 3)
        #expect(abs(Double(injection.changed.count) / 5400 - 0.1) < 0.015)
        #expect(injection.changed.allSatisfy { $0 < 5400 && injection.labels[$0] != labels[$0] })
        let kept = Set(0..<6000).subtracting(injection.changed)
        #expect(kept.allSatisfy { injection.labels[$0] == labels[$0] })
        // In proportion to the matrix: rows .1, .2, .3 of a mean of .2, and only where it has entries.
        for (a, odds) in [0.05, 0.1, 0.15].enumerated() {
            #expect(abs(injection.matrix[a][a] - (1 - odds)) < 1e-9)
            #expect(abs(injection.matrix[a].reduce(0, +) - 1) < 1e-12)
        }
        #expect(injection.changed.allSatisfy { labels[$0] != 0 || injection.labels[$0] == 1 })
        let again = LabelInjection(
            labels, among: Array((0..<5400).reversed()), transition: matrix, share: 0.1, seed: 3)
        #expect(again.labels == injection.labels)
        let other = LabelInjection(
            labels, among: Array(0..<5400), transition: matrix, share: 0.1, seed: 4)
        #expect(other.labels != injection.labels)
    }

    @Test func injectionOfCleanAndOfOddMatrices() {
        let labels = (0..<3000).map { $0 % 3 }
        let clean = LabelInjection(
            labels, among: Array(0..<3000), transition: [[1, 0, 0], [0, 1, 0], [0, 0, 1]], seed: 0)
        #expect(abs(Double(clean.changed.count) / 3000 - 0.12) < 0.02)
        #expect(abs(clean.matrix[0][1] - 0.06) < 1e-9)
        // Only one class can change, and loses no more than half.
        let one = LabelInjection(
            labels, among: Array(0..<3000), transition: [[0, 1, 0], [0, 1, 0], [0, 0, 1]],
            share: 0.4, seed: 0)
        #expect(abs(one.matrix[0][1] - 0.5) < 1e-9 && one.matrix[1] == [0, 1, 0])
        #expect(one.changed.allSatisfy { labels[$0] == 0 })
    }

    @Test func matricesAreComposed() {
        let injection = LabelInjection(
            [0, 1, 2], among: [0, 1, 2], transition: matrix, share: 0.1, seed: 0)
        let both = injection.composed(with: matrix)
        for a in 0..<3 {
            #expect(abs(both[a].reduce(0, +) - 1) < 1e-12)
            for b in 0..<3 {
                let sum = (0..<3).reduce(0) { $0 + matrix[a][$1] * injection.matrix[$1][b] }
                #expect(abs(both[a][b] - sum) < 1e-15)
            }
        }
    }

    private func rows(ids: [String]? = ["a", "b", "c\"", "d"]) -> AuditRows {
        AuditRows(
            [
                .init(
                    sample: 0, split: "train", given: 0, suggested: 1, probability: 0.25,
                    suggestedProbability: 0.2, evidence: [1.5, .nan]),
                .init(
                    sample: 2, split: "test", given: 1, suggested: 0, probability: 0.9,
                    suggestedProbability: 0.85, evidence: [1.0 / 3, 2]),
                .init(
                    sample: 3, split: "train", given: 1, suggested: 2, probability: 0.9,
                    suggestedProbability: 0.4, evidence: [0, 0]),
            ], classNames: ["cat", "dog, or so", "eel"], ids: ids,
            content: ("text", ["p", "q", "r\ns", "t"]), evidenceNames: ["margin", "aum"])
    }

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test func auditTable() {
        #expect(
            text(rows().csv())
                == "sample,id,text,split,given,suggested,probability,suggested-probability,margin,aum\n"
                + "2,\"c\"\"\",\"r\ns\",test,\"dog, or so\",cat,0.9,0.85,0.333333,2\n"
                + "3,d,t,train,\"dog, or so\",eel,0.9,0.4,0,0\n"
                + "0,a,p,train,cat,\"dog, or so\",0.25,0.2,1.5,\n")
    }

    @Test func filesThatTrainingReads() {
        let rows = rows()
        #expect(
            text(rows.labels([2, 3], .corrected))
                == "sample,id,label\n2,\"c\"\"\",cat\n3,d,eel\n")
        #expect(text(rows.labels([3], .pruned)) == "sample,id,label\n3,d,\n")
        #expect(
            text(rows.labels([3, 2], .sure)) == "sample,id,label\n2,\"c\"\"\",cat\n3,d,\n")
        #expect(
            text(rows.labels([3], .pruned, fixed: [0: 2, 3: 1]))
                == "sample,id,label\n0,a,eel\n3,d,\"dog, or so\"\n")
        #expect(text(rows.weights()) == "sample,id,weight\n0,a,0.75\n2,\"c\"\"\",0.1\n3,d,0.1\n")
        #expect(text(rows.labels([0: 2])) == "sample,id,label\n0,a,eel\n")
    }

    @Test func idsThatAreAlikeAreLeftOut() {
        #expect(text(rows(ids: ["a", "a", "b", "c"]).weights()).hasPrefix("sample,weight\n"))
        #expect(text(rows(ids: nil).labels([3], .pruned)) == "sample,label\n3,\n")
    }

    /// What is written is what training reads, names with commas, quotes and line breaks included.
    @Test func filesAreReadBack() throws {
        let names = ["1", "dog, or\nso", " 0\""]
        let ids = ["x,1", "y\"", " z", "w"]
        let data = try Dataset(
            name: "data", features: .table([1, 2, 3, 4], columns: ["x"]), labels: [0, 1, 1, 2],
            classNames: names, ids: ids)
        let rows = AuditRows(
            (0..<4).map {
                .init(
                    sample: $0, split: "train", given: data.labels[$0],
                    suggested: (data.labels[$0] + 1) % 3, probability: 0.2 * Double($0),
                    suggestedProbability: 0.2 * Double($0), evidence: [])
            }, classNames: names, ids: ids, evidenceNames: [])
        let path = FileManager.default.temporaryDirectory
            .appendingPathComponent("limbeck-audit-\(UUID()).csv").path
        defer { try? LocalFileSystem().remove(path) }
        try LocalFileSystem().replace(path, with: rows.labels([1, 2, 3], .sure, fixed: [1: 0]))
        let edits = try LabelEdits(.init(file: path), for: data)
        #expect(edits.labels == [1: 0, 3: 0] && edits.leftOut == [2])
        try LocalFileSystem().replace(path, with: rows.weights())
        let weights = try SampleWeights(.init(file: path), for: data)
        #expect(largestGap(weights.values, [1, 0.8, 0.6, 0.4]) < 1e-6)
    }
}
