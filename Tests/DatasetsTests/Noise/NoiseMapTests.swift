import Diagnostics
import Testing

@testable import Datasets

struct NoiseMapTests {
    @Test func coarseTableHasTwentyGroupsOfFive() {
        #expect(LabelNoise.coarse.count == 100)
        for group in 0..<20 { #expect(LabelNoise.coarse.filter { $0 == group }.count == 5) }
    }

    /// Aquatic mammals: beaver 4, dolphin 30, otter 55, seal 72, whale 95. Trees: maple 47, oak 52,
    /// palm 56, pine 59, willow 96. Vehicles 1: bicycle 8, bus 13, motorcycle 48, pickup 58,
    /// train 90.
    @Test func superClassesAreCircular() throws {
        let targets = try LabelNoise.Map.cifar100Superclass.targets(
            classCount: 100, classNames: nil)
        for group in [[4, 30, 55, 72, 95], [47, 52, 56, 59, 96], [8, 13, 48, 58, 90]] {
            for (i, fine) in group.enumerated() { #expect(targets[fine] == group[(i + 1) % 5]) }
        }
        #expect(Set(targets).count == 100)
        for fine in 0..<100 {
            #expect(targets[fine] != fine)
            #expect(LabelNoise.coarse[targets[fine]] == LabelNoise.coarse[fine])
        }
    }

    @Test func blocksAreContiguous() throws {
        let targets = try LabelNoise.Map.cifar100Blocks.targets(classCount: 100, classNames: nil)
        #expect(targets[0..<6] == [1, 2, 3, 4, 0, 6] && targets[99] == 95)
        let noise = LabelNoise(.asymmetric, rate: 0.2, map: .cifar100Blocks)
        #expect(noise.isCompatibility)
        #expect(
            try noise.validate(classCount: 100) == [
                "cifar100-blocks is a compatibility mode: blocks of five fine ids are not "
                    + "super-classes; cifar100-superclass uses the true ones"
            ])
    }

    @Test func aHundredClassesMeanSuperClasses() throws {
        let labels = cyclicLabels(5_000, 100)
        let noisy = try LabelNoise(.asymmetric, rate: 0.4).apply(
            labels: labels, classCount: 100, seed: 8)
        #expect(
            noisy.labels
                == (try LabelNoise(.asymmetric, rate: 0.4, map: .cifar100Superclass).apply(
                    labels: labels, classCount: 100, seed: 8)).labels)
        for (a, b) in zip(noisy.clean, noisy.labels) {
            #expect(LabelNoise.coarse[a] == LabelNoise.coarse[b])
        }
        expectShare(noisy.realisedRate!, 0.4, of: 5_000)
    }

    @Test func namedMaps() throws {
        func pairs(_ map: LabelNoise.Map) throws -> [Int: Int] {
            let targets = try map.targets(classCount: 10, classNames: nil)
            return Dictionary(
                uniqueKeysWithValues: targets.enumerated().filter { $0.offset != $0.element }
                    .map { ($0.offset, $0.element) })
        }
        #expect(try pairs(.cifar10) == [9: 1, 2: 0, 4: 7, 3: 5, 5: 3])
        #expect(try pairs(.mnist) == [7: 1, 2: 7, 3: 8, 5: 6, 6: 5])
        #expect(try pairs(.fashionMNIST) == [0: 6, 6: 0, 2: 4, 4: 2, 5: 7, 7: 9])
    }

    @Test func namesAndNumbers() throws {
        let wanted = [0, 1, 0, 5, 4, 5, 6, 7, 8, 1]
        for pairs in [
            ["truck": "automobile", "bird": "airplane", "cat": "dog"],
            ["9": "1", "2": "0", "3": "5"],
        ] {
            let targets = try LabelNoise.Map.explicit(pairs).targets(
                classCount: 10, classNames: cifarNames)
            #expect(targets == wanted)
        }
        // Where classes are called by numbers, the name goes before the position.
        let digits = try LabelNoise.Map.explicit(["1": "3"]).targets(
            classCount: 3, classNames: ["1", "2", "3"])
        #expect(digits == [2, 1, 2])
        // A word that is no name makes all of them numbers.
        let counted = try LabelNoise.Map.explicit(["1": "2", "0": "1"]).targets(
            classCount: 3, classNames: ["1", "2", "3"])
        #expect(counted == [1, 2, 2])
    }

    /// What a word may stand for is a name of the user's: of any length, with any characters.
    @Test func hintsAreShort() throws {
        let long = "automobile\n" + String(repeating: "x", count: 1000)
        let reader = ClassReader(classCount: 2, classNames: [long, "b"], words: ["automobile"])
        let hint = try #require(reader.hint(for: "automobile"))
        #expect(hint.hasPrefix("did you mean \"automobile") && hint.count < 90)
        #expect(!hint.contains("\n"))
    }

    @Test(arguments: [
        (
            ["truk": "bird"],
            "noise.map.truk: no such class: found \"truk\", expected class names, "
                + "or numbers 0...9 throughout (did you mean \"truck\"?)"
        ),
        (
            ["truck": "12"],
            "noise.map.truck: no such class: found \"12\", expected class names, "
                + "or numbers 0...9 throughout"
        ),
        (
            ["truck": "-1"],
            "noise.map.truck: no such class: found \"-1\", expected class names, "
                + "or numbers 0...9 throughout"
        ),
        (
            ["cat": "cat"],
            "noise.map.cat: a class is mapped to itself (leave out the classes that "
                + "stay clean)"
        ),
        (
            ["9": "1", "09": "2"],
            "noise.map.9: class 9 is mapped twice"
        ),
        ([:], "noise.map: names no pair of classes"),
    ])
    func damagedMaps(_ pairs: [String: String], _ sentence: String) {
        let noise = LabelNoise(.asymmetric, rate: 0.2, map: .explicit(pairs))
        #expect(
            refusal { () throws(Problem) in
                try noise.validate(classCount: 10, classNames: cifarNames)
            } == sentence)
    }
}
