//! The optional rules of the pass by name: each can be switched off, for bisection, and tests make each wrong. What is not
//! here (near calls, BX for CX, the stack's places) is the calling convention, which asm/abi.inc has too.

use std::cell::Cell;

/// The optional rules.
pub const RULES: &[(Rule, &str, &str)] = &[
    (Rule::Constants, "constants", "a constant that is pushed and popped is moved"),
    (Rule::Third, "third", "a private function's third argument is in EAX"),
    (Rule::Reuse, "reuse", "what a register holds already is not moved there again"),
    (Rule::Registers, "registers", "a kept register that addresses is not CX"),
    (Rule::AsmPushes, "asm-pushes", "pushes in an asm! have 16 bits where the high half does not change"),
    (Rule::Words, "words", "operations have 16 bits where the high half is not looked at"),
    (Rule::Pushes, "pushes", "saved registers have 16 bits where the high half is not wanted back"),
    (Rule::Addresses, "addresses", "addresses in BX, BP, SI and DI have 16 bits"),
    (Rule::Single, "single", "one instruction for another that is shorter"),
    (Rule::Pairs, "pairs", "one instruction for two"),
    (Rule::Fold, "fold", "an address that is computed goes where it is used"),
    (Rule::Inverted, "inverted", "a jump over a jump is one jump"),
    (Rule::Threads, "threads", "a jump to a jump, or to a return, is the latter"),
    (Rule::Ends, "ends", "ends that are the same are there once"),
    (Rule::Useless, "useless", "lines that nothing leads to, and jumps to the next line, go"),
    (Rule::LastCalls, "last-calls", "a call before a return is a jump"),
    (Rule::Exchange, "exchange", "a move to or from AX that is the last use of its source is an exchange"),
    (Rule::SaveNone, "save-none", "what assembly calls where all registers are saved saves none"),
    (Rule::SaveAll, "save-all", "PUSHA and POPA save several registers"),
    (Rule::Order, "order", "a function stands behind the one that jumps to it last"),
];

/// An optional rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "RULES says what each does")]
pub enum Rule {
    Constants,
    Third,
    Reuse,
    Registers,
    AsmPushes,
    Words,
    Pushes,
    Addresses,
    Single,
    Pairs,
    Fold,
    Inverted,
    Threads,
    Ends,
    Useless,
    LastCalls,
    Exchange,
    SaveNone,
    SaveAll,
    Order,
}

/// A mistake that tests have the pass make, to see whether the validation catches it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mistake {
    /// An opaque instruction runs without its exchange of BX and CX.
    NoSwap,
    /// A constant that is moved is pushed, too.
    ConstantsPush,
    /// Stack arguments stay where four bytes of return address put them.
    StackPlace,
    /// A third argument that changes places with EAX is moved there only.
    ThirdMoved,
    /// What lies on the stack beside a third argument does not come nearer.
    ThirdPlace,
    /// A push of a third argument makes room on the stack.
    ThirdRoom,
    /// What memory holds is known behind a store.
    ReuseStored,
    /// What registers hold is known behind a label.
    ReuseLabel,
    /// A register in an address keeps its old name.
    RegistersAddress,
    /// A push in an asm! has 16 bits whatever changes.
    AsmPushesAll,
    /// Flags that are looked at do not matter.
    WordsFlags,
    /// A move has 16 bits whatever is looked at.
    WordsMove,
    /// The registers of a long address are not looked at.
    WordsAddress,
    /// A sum leaves a zero high half zero.
    WordsZero,
    /// A shift to the right has 16 bits whatever its high half.
    WordsShift,
    /// Behind a call in an asm! no high half is looked at.
    WordsInlineCall,
    /// A call in an asm! leaves every high half as it was.
    WordsInlineZero,
    /// A routine that gets whole registers looks at their low halves.
    WordsWhole,
    /// A saved register has 16 bits whatever changes.
    PushesAll,
    /// A callee does not give a high half back that its caller looks at.
    PushesLost,
    /// An address in CX is written as one in BX.
    AddressesBase,
    /// A comparison counts though its register is looked at.
    SingleCompare,
    /// A constant's other byte is taken.
    SingleByte,
    /// Flags do not keep a mask from its byte.
    SingleFlags,
    /// A bit is looked at in the low byte.
    PairsBit,
    /// A sum goes into a copy though its flags are looked at.
    PairsFlags,
    /// A value goes at once to where it is moved though its first register is looked at.
    PairsDead,
    /// A register of the address may change before it is used.
    FoldIntact,
    /// The displacements are not added.
    FoldSum,
    /// The condition stays.
    InvertedCondition,
    /// A conditional jump to a return is a return.
    ThreadsReturn,
    /// An instruction more is taken for the same.
    EndsMore,
    /// What a jump table leads to goes.
    UselessTable,
    /// A call with arguments on the stack is a jump.
    LastCallsArguments,
    /// The source is looked at afterwards.
    ExchangeSource,
    /// An entry that others call saves nothing.
    SaveNoneOthers,
    /// A result is put back over.
    SaveAllResult,
    /// A function falls into whichever stands next.
    OrderFalls,
}

/// Every mistake.
pub const MISTAKES: &[Mistake] = &[
    Mistake::NoSwap, Mistake::ConstantsPush, Mistake::StackPlace, Mistake::ThirdMoved, Mistake::ThirdPlace, Mistake::ThirdRoom, Mistake::ReuseStored, Mistake::ReuseLabel,
    Mistake::RegistersAddress, Mistake::AsmPushesAll, Mistake::WordsFlags, Mistake::WordsMove, Mistake::WordsAddress, Mistake::WordsZero,
    Mistake::WordsShift, Mistake::WordsInlineCall, Mistake::WordsInlineZero, Mistake::WordsWhole, Mistake::PushesAll, Mistake::PushesLost, Mistake::AddressesBase, Mistake::SingleCompare,
    Mistake::SingleByte, Mistake::SingleFlags, Mistake::PairsBit, Mistake::PairsFlags, Mistake::PairsDead, Mistake::FoldIntact,
    Mistake::FoldSum, Mistake::InvertedCondition, Mistake::ThreadsReturn, Mistake::EndsMore, Mistake::UselessTable,
    Mistake::LastCallsArguments, Mistake::ExchangeSource, Mistake::SaveNoneOthers, Mistake::SaveAllResult, Mistake::OrderFalls,
];

/// Which rules are off, and what is done wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// A bit for each rule that is off.
    off: u32,
    wrong: Option<Mistake>,
}

impl Options {
    /// All optional rules off: only the calling convention is written.
    pub fn wide() -> Options {
        RULES.iter().fold(Options::default(), |options, (rule, ..)| options.without(*rule))
    }

    /// One rule less.
    pub fn without(self, rule: Rule) -> Options {
        Options { off: self.off | 1 << rule as u32, ..self }
    }

    /// A mistake is made. For tests.
    pub fn wrong(self, mistake: Mistake) -> Options {
        Options { wrong: Some(mistake), ..self }
    }

    /// Rules that are off by their names, with commas between; `wide`: all.
    ///
    /// # Errors
    /// A name that no rule has.
    pub fn named(names: &str) -> Result<Options, String> {
        names.split(',').filter(|name| !name.is_empty()).try_fold(Options::default(), |options, name| {
            if name == WIDE {
                return Ok(Options::wide());
            }
            let found = RULES.iter().find(|(_, other, _)| *other == name);
            found.map(|(rule, ..)| options.without(*rule)).ok_or_else(|| format!("no rule is called {name}; tools/build --rules lists them"))
        })
    }

    /// For the time of `work`, on this thread.
    pub(super) fn during<T>(self, work: impl FnOnce() -> T) -> T {
        let before = NOW.replace(self);
        let result = work();
        NOW.set(before);
        result
    }
}

/// All rules, where names are listed.
pub const WIDE: &str = "wide";

thread_local! {
    static NOW: Cell<Options> = const { Cell::new(Options { off: 0, wrong: None }) };
}

/// Whether a rule is on.
pub fn on(rule: Rule) -> bool {
    NOW.get().off >> rule as u32 & 1 == 0
}

/// Whether this mistake is to be made.
pub fn wrong(mistake: Mistake) -> bool {
    NOW.get().wrong == Some(mistake)
}
