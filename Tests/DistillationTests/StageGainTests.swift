import Distillation
import Testing

/// Gains that can be checked in the head.
@Suite struct StageGainTests {
    @Test func byHand() {
        // d = 1, 1, 1, 0: mean 3/4, variance 1/4, standard error √(1/4/4) = 1/4.
        let gain = StageGain(
            before: [false, false, false, true], after: [true, true, true, true])
        #expect(gain.mean == 0.75 && gain.standardError == 0.25 && gain.isAccepted)
        // d = 1, −1, 0, 0: mean 0, variance 2/3.
        let level = StageGain(gained: 1, lost: 1, of: 4)
        #expect(level.mean == 0 && abs(level.standardError - (1.0 / 6).squareRoot()) < 1e-15)
        #expect(!level.isAccepted)
    }

    /// 51 against 49 of a thousand samples are chance, 60 against 40 are not.
    @Test func moreThanChance() {
        #expect(!StageGain(gained: 51, lost: 49, of: 1000).isAccepted)
        #expect(StageGain(gained: 60, lost: 40, of: 1000).isAccepted)
        #expect(!StageGain(gained: 40, lost: 60, of: 1000).isAccepted)
    }

    /// Nothing gained, however surely, is nothing; one sample says nothing.
    @Test func nothing() {
        #expect(!StageGain(gained: 0, lost: 0, of: 100).isAccepted)
        #expect(!StageGain(gained: 1, lost: 0, of: 1).isAccepted)
        #expect(!StageGain(before: [], after: []).isAccepted)
    }
}
